"""Asks an API server, as one who is in a hurry: plain connections that stay, no cache."""

import base64
import http.client
import json
import re
import ssl
import threading
import time
import urllib.parse

BENCH, SYSTEM = "bench", "metallb-system"
SERVICES = f"/api/v1/namespaces/{BENCH}/services"
SLICES = f"/apis/discovery.k8s.io/v1/namespaces/{BENCH}/endpointslices"
MERGE = {"Content-Type": "application/merge-patch+json"}
LANES = 8


def value(text, key):
    """What a kubeconfig says of a key, one that has one cluster and one user, each key on a line of
    its own."""
    found = re.search(rf'^[ -]*{key}: *"?([^"\s]+)"?$', text, re.M)
    return found and found.group(1)


def pointed(kubeconfig, host, place):
    """A copy of a kubeconfig that reaches its server at another address of the same host."""
    with open(kubeconfig) as file:
        text = file.read()
    with open(place, "w") as file:
        file.write(re.sub(r'^([ -]*)server: .*:(\d+)"?$', lambda line: (
            f"{line[1]}server: https://{host}:{line[2]}\n"
            f"{' ' * len(line[1])}tls-server-name: localhost"), text, flags=re.M))
    return place


class Server:
    """Speaks to the API server of such a kubeconfig, which holds a token."""

    def __init__(self, kubeconfig):
        with open(kubeconfig) as file:
            text = file.read()
        url = urllib.parse.urlparse(value(text, "server"))
        self.host, self.port = url.hostname, url.port
        authority = value(text, "certificate-authority-data")
        self.tls = ssl.create_default_context(
            cafile=value(text, "certificate-authority"),
            cadata=authority and base64.b64decode(authority).decode())
        # It is reached by an address that its certificate need not name.
        self.tls.check_hostname = False
        self.headers = {"Content-Type": "application/json",
                        "Authorization": "Bearer " + value(text, "token")}
        self.local = threading.local()

    def connection(self):
        """This thread's own."""
        if not hasattr(self.local, "connection"):
            self.local.connection = http.client.HTTPSConnection(
                self.host, self.port, context=self.tls)
        return self.local.connection

    def ask(self, method, path, body=None, headers=None):
        connection, text = self.connection(), body if body is None else json.dumps(body)
        try:
            connection.request(method, path, text, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLError):
            # Nobody keeps a connection for ever that is not used.
            connection.close()
            connection.request(method, path, text, {**self.headers, **(headers or {})})
            answer = connection.getresponse()
        data = answer.read()
        if answer.status == 409 and method == "POST":
            return None
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return data

    def read(self, path):
        return json.loads(self.ask("GET", path))

    def empty(self, path):
        """Deletes a collection, which takes a server longer than one request may, if it is big."""
        while self.read(path + "?limit=1")["items"]:
            try:
                self.ask("DELETE", path)
            except RuntimeError as error:
                if ": 504 " not in str(error):
                    raise

    def make(self, path, objects):
        """POSTs objects over several connections."""
        def create(part):
            for each in part:
                self.ask("POST", path, each)
            self.local.connection.close()

        lanes = [threading.Thread(target=create, args=(objects[lane::LANES],))
                 for lane in range(min(LANES, len(objects)))]
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()

    def counts(self):
        """Requests so far that were answered with success: {(verb, resource): number}, and the
        seconds spent inside the server."""
        try:
            self.ask("GET", "/scripted/counters")
        except RuntimeError:
            self.connection().close()
            return self.metrics()
        found, seconds = {}, {}
        for row in self.read("/scripted/counters")["counters"]:
            if row["code"] < 300:
                key = (row["verb"], row["resource"])
                found[key] = found.get(key, 0) + row["count"]
        for row in self.read("/scripted/requests")["requests"]:
            if row["code"] < 300 and row["verb"] != "watch":
                key = (row["verb"], row["resource"])
                seconds[key] = seconds.get(key, 0) + row["insideNanoseconds"] / 1e9
        return found, seconds

    def metrics(self):
        found, seconds = {}, {}
        for line in self.ask("GET", "/metrics").decode().splitlines():
            name, brace, rest = line.partition("{")
            sums = name == "apiserver_request_duration_seconds_sum"
            if not sums and name != "apiserver_request_total":
                continue
            labels = dict(re.findall(r'(\w+)="([^"]*)"', rest))
            if not labels.get("code", "200").startswith("2"):
                continue
            resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
            verb = {"POST": "create", "PUT": "update"}.get(labels["verb"], labels["verb"].lower())
            table = seconds if sums else found
            table[verb, resource] = table.get((verb, resource), 0) + float(line.split()[-1])
        return found, seconds


class Addresses(threading.Thread):
    """Notes when each Service is first seen with an address by one who watches."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.seen, self.changed = {}, threading.Condition()
        version = server.read(SERVICES + "?limit=1")["metadata"]["resourceVersion"]
        self.connection = http.client.HTTPSConnection(
            server.host, server.port, context=server.tls)
        self.connection.request("GET", f"{SERVICES}?watch=1&resourceVersion={version}",
                                headers=server.headers)
        self.stream = self.connection.getresponse()
        self.start()

    def run(self):
        for line in self.stream:
            service, now = json.loads(line)["object"], time.monotonic()
            if service.get("status", {}).get("loadBalancer", {}).get("ingress"):
                with self.changed:
                    self.seen.setdefault(service["metadata"]["name"], now)
                    self.changed.notify_all()

    def wait(self, names, seconds):
        """Whether all have one in time."""
        missing = set(names)

        def are_there():
            missing.difference_update([name for name in missing if name in self.seen])
            return not missing

        with self.changed:
            return self.changed.wait_for(are_there, seconds)


def echo(kubeconfig):
    """The floor: gives every new Service the next address, without a thought. What it takes is
    what the server and the way there and back take."""
    server, number = Server(kubeconfig), 0
    version = server.read(SERVICES + "?limit=1")["metadata"]["resourceVersion"]
    watch = http.client.HTTPSConnection(server.host, server.port, context=server.tls)
    watch.request("GET", f"{SERVICES}?watch=1&resourceVersion={version}", headers=server.headers)
    stream = watch.getresponse()
    print("ready", flush=True)
    for line in stream:
        event = json.loads(line)
        if event["type"] != "ADDED":
            continue
        number += 1
        address = f"198.19.{number >> 8 & 255}.{number & 255}"
        server.ask("PATCH", f"{SERVICES}/{event['object']['metadata']['name']}/status",
                   {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}, MERGE)


def service(name, **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False,
                     "selector": {"app": name}, "ports": [{"port": 80}], **spec}}


def endpoints(name, nodes, first=1):
    """The slice of a Service: one endpoint for each node that is named."""
    return {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
        "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        "endpoints": [
            {"addresses": [f"203.0.113.{(first + index) % 250 + 1}"], "nodeName": node,
             "conditions": {"ready": True, "serving": True, "terminating": False},
             "targetRef": {"kind": "Pod", "namespace": BENCH, "name": f"{name}-{index}"}}
            for index, node in enumerate(nodes)]}


def node(name, address):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "status": {"addresses": [{"type": "InternalIP", "address": address}],
                       "conditions": [{"type": "Ready", "status": "True",
                                       "reason": "KubeletReady"}]}}
