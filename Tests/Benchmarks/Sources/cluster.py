#!/usr/bin/env python3
"""Measures controller and speaker against an API server: how long a Service waits for its address,
how many requests that takes, and what the processes cost.

The server is the scripted one of the tests, in the same network namespace, on the same two cores:
what it needs itself is measured beside, as the time that a POST takes.
"""

import argparse
import base64
import http.client
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

import machine

BENCH = "bench"
SYSTEM = "metallb-system"


class Server:
    """Speaks to the API server of a kubeconfig."""

    def __init__(self, kubeconfig):
        import yaml
        with open(kubeconfig) as file:
            config = yaml.safe_load(file)
        names = {kind: {item["name"]: item[kind[:-1]] for item in config[kind]}
                 for kind in ("clusters", "users", "contexts")}
        context = names["contexts"][config["current-context"]]
        cluster, user = names["clusters"][context["cluster"]], names["users"][context["user"]]
        url = urllib.parse.urlparse(cluster["server"])
        self.host, self.port = url.hostname, url.port
        if "certificate-authority" in cluster:
            self.tls = ssl.create_default_context(cafile=cluster["certificate-authority"])
        else:
            data = base64.b64decode(cluster["certificate-authority-data"]).decode()
            self.tls = ssl.create_default_context(cadata=data)
        self.headers = {"Authorization": "Bearer " + user["token"],
                        "Content-Type": "application/json"}

    def connection(self):
        return http.client.HTTPSConnection(self.host, self.port, context=self.tls)

    def request(self, connection, method, path, body=None, headers=None):
        connection.request(method, path, json.dumps(body) if body is not None else None,
                           {**self.headers, **(headers or {})})
        answer = connection.getresponse()
        data = answer.read()
        if answer.status == 409 and method == "POST":
            return None
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]!r}")
        return json.loads(data) if data else None


class Addresses(threading.Thread):
    """Notes when each Service of a namespace is first seen with an address."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.seen, self.changed = server, {}, threading.Condition()
        connection = server.connection()
        page = server.request(connection, "GET", f"/api/v1/namespaces/{BENCH}/services?limit=1")
        connection.request(
            "GET", f"/api/v1/namespaces/{BENCH}/services?watch=1&resourceVersion="
            + page["metadata"]["resourceVersion"], headers=server.headers)
        self.stream = connection.getresponse()
        self.start()

    def run(self):
        for line in self.stream:
            event = json.loads(line)
            now = time.monotonic()
            service = event["object"]
            if service.get("status", {}).get("loadBalancer", {}).get("ingress"):
                with self.changed:
                    self.seen.setdefault(service["metadata"]["name"], now)
                    self.changed.notify_all()

    def wait(self, names, seconds):
        with self.changed:
            return self.changed.wait_for(lambda: all(name in self.seen for name in names), seconds)


def service(name):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False,
                     "selector": {"app": name}, "ports": [{"port": 80}]}}


def percentiles(values):
    values = sorted(values)
    return (statistics.median(values), values[min(len(values) - 1, int(len(values) * 0.99))],
            values[-1])


def one_by_one(server, count, prefix):
    """From the answer to a POST until a watcher sees the address, in ms."""
    addresses, connection = Addresses(server), server.connection()
    posts, waits = [], []
    for number in range(count):
        name, begin = f"{prefix}{number}", time.monotonic()
        server.request(connection, "POST", f"/api/v1/namespaces/{BENCH}/services", service(name))
        answered = time.monotonic()
        if not addresses.wait([name], 30):
            sys.exit(f"{name} has no address after 30 s")
        posts.append((answered - begin) * 1000)
        waits.append((addresses.seen[name] - answered) * 1000)
        time.sleep(0.01)
    return percentiles(posts), percentiles(waits)


def burst(server, count, prefix):
    """Many Services at once, over eight connections: seconds to make them, and until all have
    addresses, from the first POST."""
    addresses = Addresses(server)
    names = [f"{prefix}{number}" for number in range(count)]
    begin = time.monotonic()

    def create(part):
        connection = server.connection()
        for name in part:
            server.request(connection, "POST", f"/api/v1/namespaces/{BENCH}/services",
                           service(name))

    threads = [threading.Thread(target=create, args=(names[i::8],)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    created = time.monotonic() - begin
    if not addresses.wait(names, 300):
        sys.exit(f"{sum(name not in addresses.seen for name in names)} Services have no address")
    return created, max(addresses.seen[name] for name in names) - begin


class Daemons:
    """One controller and one speaker, each as its ServiceAccount."""

    def __init__(self, martlet, folder, files, node):
        self.folder = folder
        self.log = open(f"{folder}/log", "w")
        self.controller = self.start(
            martlet, "controller", "--kubeconfig", files["controller"], "--node", "bench",
            "--admin", f"{folder}/controller.sock", "--log-level", "warning")
        self.speaker = self.start(
            martlet, "speaker", "--kubeconfig", files["speaker"], "--node", node,
            "--state", f"{folder}/state", "--interface", "bench0",
            "--admin", f"{folder}/speaker.sock", "--log-level", "warning")

    def start(self, *command):
        return subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def costs(self):
        return [(name, machine.memory(process), machine.cpu_seconds(process))
                for name, process in (("controller", self.controller), ("speaker", self.speaker))]

    def stop(self):
        for process in (self.controller, self.speaker):
            process.terminate()
        for process in (self.controller, self.speaker):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def prepare(server, addresses):
    connection = server.connection()
    server.request(connection, "POST", "/api/v1/namespaces",
                   {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BENCH}})
    server.request(
        connection, "POST", f"/apis/metallb.io/v1beta1/namespaces/{SYSTEM}/ipaddresspools",
        {"apiVersion": "metallb.io/v1beta1", "kind": "IPAddressPool",
         "metadata": {"name": "bench", "namespace": SYSTEM}, "spec": {"addresses": [addresses]}})
    return connection


def scripted(options, folder, populate):
    files = {role: f"{folder}/{role}.kubeconfig" for role in ("admin", "controller", "speaker")}
    command = [options.server, "--crds", "deploy/kubernetes/crds", "--rbac",
               "deploy/kubernetes/rbac", "--apply", "deploy/kubernetes/namespace.yaml",
               "--kubeconfig-out", files["admin"]]
    for role in ("controller", "speaker"):
        command += ["--kubeconfig-for", f"{files[role]}={SYSTEM}:martlet-{role}"]
    if populate:
        command += ["--populate", populate]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    if not process.stdout.readline():
        sys.exit("the scripted API server did not start")
    return process, files


def measure_allocation(options):
    for present in ((0,) if options.short else (0, 1000)):
        with tempfile.TemporaryDirectory() as folder:
            process, files = scripted(options, folder, None)
            try:
                server = Server(files["admin"])
                connection = prepare(server, "198.18.0.0/15")
                daemons = Daemons(options.martlet, folder, files, "bench-node")
                try:
                    one_by_one(server, 5, "warm")
                    if present:
                        burst(server, present, "present")
                    count = 100 if options.short else 300
                    posts, waits = one_by_one(server, count, "single")
                    print(f"{present:6} present: the server's POST median {posts[0]:.1f} ms, "
                          f"p99 {posts[1]:.1f}; then the address median {waits[0]:.1f} ms, "
                          f"p99 {waits[1]:.1f}, worst {waits[2]:.1f}; "
                          f"load {machine.load_average():.1f}")
                    for many in ((1000,) if options.short else (1000, 10000)):
                        server.request(connection, "DELETE", "/scripted/requests")
                        before = daemons.costs()[0][2]
                        created, all_given = burst(server, many, f"burst{many}-")
                        time.sleep(2)
                        after = daemons.costs()
                        print(f"{many:6} at once: made in {created:.2f} s, all have addresses after "
                              f"{all_given:.2f} s; the controller took {after[0][2] - before:.2f} s "
                              f"of CPU, {after[0][1][0]:.0f} MiB; load "
                              f"{machine.load_average():.1f}")
                        writes = server.request(connection, "GET", "/scripted/requests?after=0")
                        entries = writes if isinstance(writes, list) else writes.get("requests", [])
                        patches = sum(entry.get("method") == "PATCH"
                                      and "/services/" in entry.get("path", "")
                                      for entry in entries)
                        print(f"{'':7}{patches} PATCH of Services, "
                              f"{sum(entry.get('method') != 'GET' for entry in entries) - many - patches} "
                              "other writes (Events, statuses, Leases)")
                finally:
                    daemons.stop()
            finally:
                process.terminate()
                process.wait(10)


def measure_memory(options):
    print("  Services  Nodes              RSS  private    clean  CPU of start")
    sizes = ((10, 3), (1000, 1000)) if options.short else ((10, 3), (1000, 3), (1000, 1000),
                                                           (10000, 3))
    for services, nodes in sizes:
        with tempfile.TemporaryDirectory() as folder:
            process, files = scripted(
                options, folder, f"services={services},endpoints=10,nodes={nodes}")
            try:
                server = Server(files["admin"])
                connection = prepare(server, "198.18.0.0/15")
                nodes_known = server.request(connection, "GET", "/api/v1/nodes?limit=1")
                node = nodes_known["items"][0]["metadata"]["name"]
                daemons = Daemons(options.martlet, folder, files, node)
                try:
                    time.sleep(15 if options.short else 60)
                    for name, (resident, private, clean), cpu in daemons.costs():
                        print(f"{services:10}{nodes:7}  {name:10}{resident:7.1f}{private:9.1f}"
                              f"{clean:9.1f}{cpu:10.2f} s")
                finally:
                    daemons.stop()
            finally:
                process.terminate()
                process.wait(10)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--tools")
    parser.add_argument("--server", required=True)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--inside", action="store_true")
    options = parser.parse_args()
    if not options.inside:
        # A network of its own, with one interface for the speaker to announce on.
        command = ("ip link set lo up && ip link add bench0 type veth peer name bench1 && "
                   "ip addr add 198.18.0.1/15 dev bench0 && ip link set bench0 up && "
                   'ip link set bench1 up && exec "$@"')
        os.execvp("unshare", ["unshare", "--net", "bash", "-c", command, "bash", sys.executable,
                              "-B", *sys.argv, "--inside"])
    print("== a Service's address, from an API server")
    measure_allocation(options)
    print("== memory against an API server, Services × 10 endpoints, at rest (MiB)")
    measure_memory(options)


if __name__ == "__main__":
    main()
