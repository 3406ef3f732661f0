"""Three Martlet speakers as on three machines: a state folder each, one key file, one gossip."""

import base64
import json
import os
import signal
import subprocess
import time

from machine import cpu_seconds, memory
from race.lan import NODES, host_address, until

SERVICE_PORT = 7000

POOL = """apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan}
spec:
  addresses: [198.18.0.0-198.18.15.255, "2001:db8::1:0-2001:db8::1:ffff"]
  conflictDetection: false
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
"""

SERVICE = """---
apiVersion: v1
kind: Service
metadata:
  name: s{index}
  namespace: default
  annotations: {{metallb.io/loadBalancerIPs: "{addresses}"}}
spec:
  type: LoadBalancer
  ipFamilyPolicy: {policy}
  ipFamilies: [{families}]
  externalTrafficPolicy: Local
  ports: [{{port: 7000, protocol: UDP}}]
"""

SLICE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: s{index}-v{family}
  namespace: default
  labels: {{kubernetes.io/service-name: s{index}}}
addressType: IPv{family}
ports: [{{port: 7000, protocol: UDP}}]
endpoints:
"""


def address_of(index, family=4):
    if family == 4:
        return f"198.18.{1 + index // 256}.{index % 256}"
    return f"2001:db8::1:{index:x}"


def node_objects(ready=NODES):
    return "---\n".join(
        f"""apiVersion: v1
kind: Node
metadata: {{name: {node}}}
status:
  addresses: [{{type: InternalIP, address: {host_address(node)}}}]
  conditions: [{{type: Ready, status: "{node in ready}"}}]
""" for node in NODES)


def services(count, families):
    parts = [POOL]
    for index in range(count):
        parts.append(SERVICE.format(
            index=index, addresses=",".join(address_of(index, each) for each in families),
            policy="SingleStack" if len(families) == 1 else "RequireDualStack",
            families=", ".join(f"IPv{each}" for each in families)))
        for family in families:
            parts.append(SLICE.format(index=index, family=family))
            parts += [f"- {{addresses: ['{host_address(node, family)}'], nodeName: {node}}}\n"
                      for node in NODES]
    return "".join(parts)


class Martlet:
    """Martlet at its default settings."""

    name = "martlet"
    # Seconds until a daemon that came back takes part, beyond its own word for it.
    settling = 1.0

    def __init__(self, lan, executable, count=1, ready=NODES, families=(4, 6)):
        self.lan, self.executable, self.ready = lan, executable, ready
        self.daemons = {}
        self.folder = lan.path(f"martlet-{time.monotonic_ns()}")
        for part in ("manifests", *NODES):
            os.makedirs(os.path.join(self.folder, part))
        self.keys = os.path.join(self.folder, "gossip.keys")
        with open(os.open(self.keys, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(base64.b64encode(os.urandom(32)) + b"\n")
        self.write("services.yaml", services(count, families))
        self.write("nodes.yaml", node_objects(ready))

    def write(self, name, text):
        draft = os.path.join(self.folder, name + ".draft")
        with open(draft, "w") as file:
            file.write(text)
        os.rename(draft, os.path.join(self.folder, "manifests", name))

    def set_ready(self, nodes):
        self.ready = nodes
        self.write("nodes.yaml", node_objects(nodes))

    def address(self, family):
        return address_of(0, family)

    def socket(self, node):
        return os.path.join(self.folder, node + ".sock")

    def start(self):
        for node in NODES:
            self.start_one(node)
        if not until(20, lambda: all(self.sees_all(node) for node in NODES)):
            raise RuntimeError("the speakers did not find each other")
        time.sleep(self.settling)

    def start_one(self, node):
        self.daemons[node] = self.lan.start(
            node, self.executable, "run", "--manifests", os.path.join(self.folder, "manifests"),
            "--state", os.path.join(self.folder, node), "--node", node, "--interface", "eth0",
            "--admin", self.socket(node), "--dataplane", "nftables", "--log-level", "info",
            "--gossip-keys", self.keys, log=f"martlet-{node}.log")

    def ask(self, node, *arguments):
        return subprocess.run(
            [self.executable, *arguments, "--admin", self.socket(node)],
            capture_output=True, text=True)

    def status(self, node):
        result = self.ask(node, "status", "-o", "json")
        return json.loads(result.stdout) if result.returncode == 0 else None

    def sees_all(self, node):
        """Whether a daemon is up and counts all three as alive."""
        status = self.status(node)
        if status is None:
            return False
        members = (status.get("gossip") or {}).get("members", [])
        alive = {each["node"] for each in members if each["state"] == "alive"}
        return alive | {node} == set(NODES)

    def stop(self):
        for process in self.daemons.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.daemons.values():
            self.lan.end(process)
        self.daemons = {}

    def cpu(self, node):
        return cpu_seconds(self.daemons[node])

    def resident(self, node):
        return memory(self.daemons[node])[0]

    # What befalls a node

    def kill(self, node):
        os.kill(self.daemons[node].pid, signal.SIGKILL)

    def terminate(self, node):
        os.kill(self.daemons[node].pid, signal.SIGTERM)

    def pause(self, node):
        os.kill(self.daemons[node].pid, signal.SIGSTOP)

    def resume(self, node):
        os.kill(self.daemons[node].pid, signal.SIGCONT)

    def drain(self, node):
        self.command(node, "drain")

    def undrain(self, node):
        self.command(node, "undrain")
        time.sleep(self.settling)

    def command(self, node, verb):
        result = self.ask(node, verb, node)
        if result.returncode:
            raise RuntimeError(f"{verb} {node}: {result.stderr}{result.stdout}")

    def restart(self, node):
        self.lan.end(self.daemons[node])
        self.start_one(node)
        self.settle()

    def settle(self):
        until(10, lambda: all(self.sees_all(node) for node in NODES))
        time.sleep(self.settling)
