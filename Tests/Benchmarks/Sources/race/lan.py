"""A LAN of namespaces with faults: a bridge, three nodes, a client, and a judge who listens.

    client ── bridge ── node-a, node-b, node-c
    judge ────┘

The client has one flow and one entry in its neighbour table, as clients have. The judge has no
entry: it asks anew each time, and everything it hears is captured. So what the judge asks does not
teach the client.
"""

import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

import machine
from machine import run

NODES = ("node-a", "node-b", "node-c")
HOSTS = {"node-a": 11, "node-b": 12, "node-c": 13, "client": 100, "judge": 101}
GOSSIP_PORT = 7481

# Faults happen in the switch, so that every interface stays up: a node is not told that it is cut
# off. All kinds of frames are hit. A fault begins and ends with one change of a set.
FAULTS = """
table bridge faults {{
    set apart {{ type ifname; }}
    set deaf {{ type ifname; }}
    set mute {{ type ifname; }}
    set lossy {{ type ifname; }}
    chain prerouting {{
        type filter hook prerouting priority 0;
        iifname @mute drop
        iifname @lossy numgen random mod 100 < {loss} drop
    }}
    chain forward {{
        type filter hook forward priority 0;
        oifname @deaf drop
        iifname @apart oifname != @apart drop
        iifname != @apart oifname @apart drop
    }}
}}
"""


def port(host):
    return "to-" + host


def host_address(host, family=4):
    number = HOSTS[host]
    return f"198.19.0.{number}" if family == 4 else f"2001:db8::ff:{number}"


class RaceLAN:
    def __init__(self, loss=30, logs=None):
        self.id = f"mtrace{os.getpid()}"
        self.folder = tempfile.mkdtemp(suffix="-martlet-race")
        self.loss, self.logs = loss, logs
        self.processes = []
        self.mac = {}

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.__exit__()
            raise
        return self

    def build(self):
        self.space("switch")
        self.inside("switch", "ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0",
                    "stp_state", "0", "mcast_snooping", "0")
        self.inside("switch", "ip", "link", "set", "br0", "up")
        for host in HOSTS:
            self.space(host)
            run("ip", "-n", self.name("switch"), "link", "add", port(host), "type", "veth",
                "peer", "name", "eth0", "netns", self.name(host))
            run("ip", "-n", self.name("switch"), "link", "set", port(host), "master", "br0", "up")
            run("ip", "-n", self.name(host), "link", "set", "eth0", "up")
            run("ip", "-n", self.name(host), "addr", "add", f"{host_address(host)}/15",
                "dev", "eth0")
            run("ip", "-n", self.name(host), "addr", "add", f"{host_address(host, 6)}/64",
                "dev", "eth0", "nodad")
            self.mac[host] = self.inside(host, "cat", "/sys/class/net/eth0/address").strip()
        for node in NODES:
            self.inside(node, "sysctl", "-qw", "net.ipv4.ip_forward=1",
                        "net.ipv6.conf.all.forwarding=1")
        self.host_of = {mac: host for host, mac in self.mac.items()}
        self.nft("switch", FAULTS.format(loss=self.loss))

    def __exit__(self, *_):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        for host in ("switch", *HOSTS):
            run("ip", "netns", "del", self.name(host), check=False)
        if self.logs:
            os.makedirs(self.logs, exist_ok=True)
            for file in glob.glob(self.path("*.log")):
                shutil.copy(file, self.logs)
        shutil.rmtree(self.folder, ignore_errors=True)

    def name(self, host):
        return f"{self.id}-{host}"

    def space(self, host):
        run("ip", "netns", "add", self.name(host))
        self.inside(host, "ip", "link", "set", "lo", "up")
        self.inside(host, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                    "net.ipv6.conf.default.accept_dad=0")

    def inside(self, host, *command, check=True):
        return run("ip", "netns", "exec", self.name(host), *command, check=check)

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def start(self, host, *command, log):
        """`ip netns exec` replaces itself: the process is the program's own."""
        with open(self.path(log), "a") as file:
            process = subprocess.Popen(["ip", "netns", "exec", self.name(host), *command],
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        self.processes.append(process)
        return process

    def end(self, process, number=signal.SIGTERM, patience=15):
        machine.end(process, number, patience)
        if process in self.processes:
            self.processes.remove(process)

    # Faults

    def nft(self, host, text):
        result = subprocess.run(["ip", "netns", "exec", self.name(host), "nft", "-f", "-"],
                                input=text, text=True, capture_output=True)
        if result.returncode:
            raise RuntimeError(f"nft on {host}: {result.stderr}")

    def fault(self, kind, *hosts):
        """`apart`: the hosts see only each other. `deaf`, `mute`: one way. `lossy`: at random."""
        ports = ", ".join(f'"{port(host)}"' for host in hosts)
        self.nft("switch", f"add element bridge faults {kind} {{ {ports} }}")

    def heal(self):
        self.nft("switch", "".join(f"flush set bridge faults {kind}\n"
                                   for kind in ("apart", "deaf", "mute", "lossy")))


def until(seconds, condition, pause=0.02):
    """Tries until it holds; returns whether it did before the time was over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
