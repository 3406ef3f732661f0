"""The ground: the API server, the router and the judge in one namespace, nodes around a bridge."""

import os
import signal
import socket
import struct
import subprocess
import sys
import threading

import machine
from race.wire import RECEIVER_AS, SENDER_AS, Wires, blocks, cpu, settle

from apiserver.client import BENCH, SERVICES, SLICES, SYSTEM, Server, node, pointed

HUB = "198.18.0.1"
KINDS = "/apis/metallb.io"


class Ground(Wires):
    """Namespaces around the one that this process is in."""

    # A namespace takes its devices with it some time after it was deleted.
    plugged = 0

    def __enter__(self):
        self.receiver = f"{self.id}-hub"
        machine.run("ip", "netns", "attach", self.receiver, str(os.getpid()))
        self.spaces.append(self.receiver)
        for command in ("link set lo up", "link add br0 type bridge forward_delay 0",
                        f"addr add {HUB}/15 dev br0", "link set br0 up"):
            machine.run("ip", *command.split())
        return self

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        machine.run("ip", "link", "del", "br0", check=False)

    def plug(self, name):
        """A node's namespace and address."""
        self.count += 1
        space, address = self.space(name), f"198.18.0.{10 + self.count}"
        Ground.plugged += 1
        port = f"br0-{Ground.plugged}"
        machine.run("ip", "link", "add", "eth0", "netns", space, "type", "veth",
                    "peer", "name", port)
        machine.run("ip", "link", "set", port, "master", "br0", "up")
        machine.run("ip", "-n", space, "addr", "add", f"{address}/15", "dev", "eth0")
        machine.run("ip", "-n", space, "link", "set", "eth0", "up")
        return space, address

    def link_address(self, space):
        return machine.run("ip", "netns", "exec", space, "cat", "/sys/class/net/eth0/address")


class Cluster:
    """An API server with the configuration, a controller and speakers. `server` is the scripted
    one's executable, or a folder with the kubeconfigs of one that runs in this namespace."""

    def __init__(self, ground, martlet, server):
        self.ground, self.martlet, self.speakers = ground, martlet, {}
        self.names, self.spaces = [], {}
        self.process = self.controller = None
        roles = ("admin", "controller", "speaker")
        if os.path.isdir(server):
            files = {role: f"{server}/{role}.kubeconfig" for role in roles}
        else:
            files = {role: ground.path(f"{role}.kubeconfig") for role in roles}
            self.process = self.scripted(server, files)
        self.files = {role: pointed(file, HUB, ground.path(f"{role}.pointed"))
                      for role, file in files.items()}
        self.server = Server(self.files["admin"])
        if not self.process:
            self.empty()
        self.server.ask("POST", "/api/v1/namespaces", {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BENCH}})
        self.configure("v1beta1", "ipaddresspools", "IPAddressPool",
                       {"addresses": ["198.19.0.0/16"]})

    def configure(self, version, kinds, kind, spec):
        self.server.ask("POST", f"{KINDS}/{version}/namespaces/{SYSTEM}/{kinds}", {
            "apiVersion": f"metallb.io/{version}", "kind": kind,
            "metadata": {"name": "bench", "namespace": SYSTEM}, "spec": spec})

    def announce(self, by_bgp=False):
        self.configure("v1beta1", "l2advertisements", "L2Advertisement", {})
        if by_bgp:
            self.configure("v1beta1", "bgpadvertisements", "BGPAdvertisement", {})
            self.configure("v1beta2", "bgppeers", "BGPPeer", {
                "myASN": SENDER_AS, "peerASN": RECEIVER_AS, "peerAddress": HUB,
                "connectTime": "1s"})

    def scripted(self, server, files):
        command = [server, "--listen", "0.0.0.0:0", "--crds", "deploy/kubernetes/crds", "--rbac",
                   "deploy/kubernetes/rbac", "--apply", "deploy/kubernetes/namespace.yaml",
                   "--kubeconfig-out", files["admin"]]
        for role in ("controller", "speaker"):
            command += ["--kubeconfig-for", f"{files[role]}={SYSTEM}:martlet-{role}"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if not process.stdout.readline():
            sys.exit("the scripted API server did not start")
        return process

    def start_controller(self):
        self.controller = self.start(self.ground.receiver, "controller", "hub")

    def plug(self, name):
        """A node of the cluster, in a namespace of its own; returns the node's address."""
        self.spaces[name], address = self.ground.plug(name)
        self.server.ask("POST", "/api/v1/nodes", node(name, address))
        return address

    def start_speaker(self, name):
        self.speakers[name] = self.start(
            self.spaces[name], "speaker", name, "--interface", "eth0", "--bgp-drain-time", "0",
            "--state", self.ground.path(f"state-{name}"))

    def start(self, space, role, name, *options):
        return self.ground.start(
            space, self.martlet, role, "--kubeconfig", self.files[role], "--node", name,
            "--admin", self.ground.path(f"{role}-{name}.sock"), "--log-level", "warning",
            *options, log=f"{role}-{name}.log")

    def settle(self):
        settle(self.daemons())

    def daemons(self):
        return [self.controller, *self.speakers.values()]

    def cpu(self, process):
        return cpu([process])

    def stop(self):
        """Ends everything, and empties a server that stays."""
        for process in self.daemons():
            if process:
                self.ground.end(process, patience=20)
        if self.process:
            # It would wait for its clients to go.
            self.ground.end(self.process, signal.SIGKILL)
        else:
            self.empty()

    def empty(self):
        configuration = [f"{KINDS}/v1beta1/namespaces/{SYSTEM}/{kinds}" for kinds in (
            "ipaddresspools", "l2advertisements", "bgpadvertisements", "bgppeers")]
        for path in (SERVICES, SLICES, "/api/v1/nodes", *configuration):
            self.server.empty(path)


class Judge(threading.Thread):
    """Hears, on the bridge, who announces an address by ARP, and the UPDATEs that arrive; each with
    the kernel's time of the frame."""

    def __init__(self):
        super().__init__(daemon=True)
        self.heard, self.changed = {}, threading.Condition()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.socket.bind(("br0", 0))
        self.socket.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.start()

    def run(self):
        while True:
            try:
                frame, extra, _, _ = self.socket.recvmsg(65536, 64)
            except OSError:
                # The bridge is gone: it is over.
                return
            seconds, nanoseconds = struct.unpack("qq", extra[0][2])
            found = list(self.read(frame))
            if found:
                with self.changed:
                    for key in found:
                        self.heard.setdefault(key, []).append(
                            seconds * 10**9 + nanoseconds)
                    self.changed.notify_all()

    @staticmethod
    def read(frame):
        kind = frame[12:14]
        if kind == b"\x08\x06":
            yield "ARP", socket.inet_ntoa(frame[28:32]), frame[6:12].hex(":")
        elif kind == b"\x08\x00" and frame[23] == 6:
            ip = frame[14:]
            tcp = ip[(ip[0] & 15) * 4:struct.unpack_from(">H", ip, 2)[0]]
            stream = tcp[(tcp[12] >> 4) * 4:]
            while len(stream) >= 19 and stream[:16] == b"\xff" * 16:
                count, kind = struct.unpack_from(">HB", stream, 16)
                if kind == 2:
                    withdrawn = struct.unpack_from(">H", stream, 19)[0] > 0
                    for prefix in blocks(stream[:count]):
                        yield ("withdrawn" if withdrawn else "announced",
                               prefix.removesuffix("/32"), socket.inet_ntoa(ip[12:16]))
                stream = stream[count:]

    def wait(self, key, after, seconds=10):
        """The time at which something was first heard after a time; `None`: never."""
        def first():
            return next((at for at in self.heard.get(key, []) if at >= after), None)

        with self.changed:
            self.changed.wait_for(lambda: first() is not None, seconds)
            return first()


