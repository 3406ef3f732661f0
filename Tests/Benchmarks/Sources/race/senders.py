"""The senders: how each is started without a route, given routes, and told to withdraw them."""

import os
import struct
import subprocess
import time

from machine import run
from race.wire import RECEIVER_AS, SENDER_AS, prefix


class Sender:
    """One program in a namespace of its own, that waits for the receiver to connect."""
    programs = ()

    def __init__(self, wires, name):
        self.wires, self.name = wires, name
        self.space, self.here, self.there, self.device = wires.plug(name)
        self.processes, self.turn = [], 0

    def spawn(self, *command, **streams):
        process = self.wires.start(self.space, *command, log=f"{self.name}.log", **streams)
        self.processes.append(process)
        return process

    def inside(self, *command, text=None):
        return subprocess.run(["ip", "netns", "exec", self.space, *command], input=text,
                              capture_output=True, text=True)

    def file(self, suffix, text=""):
        return self.wires.write(f"{self.name}-{self.turn}.{suffix}", text)

    def path(self, suffix):
        """Of a file of this process: the next one finds nothing of it."""
        return self.wires.path(f"{self.name}-{self.turn}.{suffix}")

    def wait_for(self, path):
        deadline = time.monotonic() + 10
        while not os.path.exists(path):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.name} does not start")
            time.sleep(0.02)

    def prepare(self, count):
        """What is to be done before the order to withdraw can be given."""

    def nudge(self):
        """What an operator does when it does not want to talk yet."""

    def stop(self):
        for process in self.processes:
            self.wires.end(process)
        self.processes = []
        self.turn += 1


class Martlet(Sender):
    def start(self, tool):
        self.tool = self.spawn(tool, self.there, str(RECEIVER_AS), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, bufsize=1)
        self.tool.stdout.readline()

    def order(self, *words):
        self.tool.stdin.write(" ".join(map(str, words)) + "\n")
        lines = []
        for line in self.tool.stdout:
            if len(line.split()) == 1:
                return lines
            lines.append(line.split())
        raise RuntimeError("RouteSender ended")

    def load(self, count):
        self.order("announce", count)

    def prepare(self, count):
        self.order("prepare", count)

    def withdraw(self, _):
        self.order("withdraw")


class BIRD(Sender):
    programs = ("bird", "birdc")

    def configure(self, count):
        routes = "".join(f"route {prefix(number)} blackhole;\n" for number in range(count))
        return self.file("conf", f"""router id 198.51.100.2;
log stderr all;
protocol device {{}}
protocol static ours {{ ipv4; {routes} }}
protocol bgp receiver {{
    local {self.here} as {SENDER_AS}; neighbor {self.there} as {RECEIVER_AS};
    passive on; error wait time 1, 1;
    ipv4 {{ import none; export where source = RTS_STATIC; }};
}}
""")

    def start(self, _):
        self.spawn("bird", "-f", "-c", self.configure(0), "-s", self.path("ctl"),
                   "-P", self.path("pid"))
        self.wait_for(self.path("ctl"))
        time.sleep(0.2)

    def ask(self, *words):
        run("birdc", "-s", self.path("ctl"), *words)

    def load(self, count):
        self.configure(count)
        self.ask("configure")

    def withdraw(self, _):
        self.ask("disable", "ours")


class OpenBGPD(Sender):
    programs = ("bgpd", "bgpctl")

    def start(self, _):
        socket = self.path("sock")
        file = self.file("conf", f"""AS {SENDER_AS}
router-id 198.51.100.3
socket "{socket}"
fib-update no
listen on {self.here}
neighbor {self.there} {{
  remote-as {RECEIVER_AS}
  passive
  announce IPv4 unicast
}}
allow from any
allow to any
""")
        # Its reader wants a file of its own, and its parts a place under /run.
        self.spawn("bash", "-c", f"chmod 600 {file} && mount -t tmpfs none /run && "
                   f"mkdir -p /run/openbgpd && exec /usr/sbin/bgpd -d -f {file}")
        self.wait_for(socket)
        time.sleep(0.5)

    def ask(self, *words, text=None):
        return self.inside("bgpctl", "-s", self.path("sock"), *words, text=text)

    def load(self, count):
        self.ask("network", "bulk", "add",
                 text="".join(prefix(number) + "\n" for number in range(count)))

    def withdraw(self, _):
        self.ask("network", "flush")

    def nudge(self):
        self.ask("neighbor", self.there, "up")


class FRR(Sender):
    programs = ("/usr/lib/frr/zebra", "/usr/lib/frr/bgpd", "vtysh")
    coalescing = ""

    def start(self, _):
        folder = self.path("run")
        os.mkdir(folder)
        run("chown", "frr:frr", folder)
        file = self.file("conf", f"""router bgp {SENDER_AS}
 bgp router-id 198.51.100.4
 no bgp ebgp-requires-policy
 no bgp network import-check
 {self.coalescing}
 neighbor {self.there} remote-as {RECEIVER_AS}
 neighbor {self.there} passive
""")
        self.folder = folder
        for program, rest in (("zebra", ["-f", "/dev/null"]),
                              ("bgpd", ["-f", file, "-l", self.here])):
            self.spawn(f"/usr/lib/frr/{program}", "-i", f"{folder}/{program}.pid",
                       "-z", f"{folder}/zebra.api", "--vty_socket", folder, "--log", "stdout",
                       *rest)
            self.wait_for(f"{folder}/{program}.vty")

    def networks(self, count, word=""):
        lines = "".join(f"  {word}network {prefix(number)}\n" for number in range(count))
        self.orders = self.file(
            "orders", f"router bgp {SENDER_AS}\n address-family ipv4 unicast\n" + lines)

    def obey(self):
        self.inside("vtysh", "--vty_socket", self.folder, "-f", self.orders)

    def load(self, count):
        self.networks(count)
        self.obey()

    def prepare(self, count):
        self.networks(count, "no ")

    def withdraw(self, _):
        self.obey()


class FRRAtOnce(FRR):
    coalescing = "coalesce-time 0"


class GoBGP(Sender):
    programs = ("gobgpd", "gobgp")

    def start(self, _):
        file = self.file("toml", f"""[global.config]
as = {SENDER_AS}
router-id = "198.51.100.5"
local-address-list = ["{self.here}"]
[[neighbors]]
[neighbors.config]
neighbor-address = "{self.there}"
peer-as = {RECEIVER_AS}
[neighbors.transport.config]
passive-mode = true
[[neighbors.afi-safis]]
[neighbors.afi-safis.config]
afi-safi-name = "ipv4-unicast"
""")
        self.spawn("gobgpd", "-f", file, "--api-hosts", "127.0.0.1:50051", "-l", "warn")
        time.sleep(1.5)

    def load(self, count):
        """From a table in MRT format (RFC 6396 section 4.3), which is the quickest way in."""
        def record(subtype, body):
            return struct.pack(">IHHI", 0, 13, subtype, len(body)) + body
        attributes = (b"\x40\x01\x01\x00" b"\x40\x02\x00"
                      b"\x40\x03\x04" + bytes(map(int, self.here.split("."))))
        peer = b"\x02" + bytes(8) + struct.pack(">I", SENDER_AS)
        with open(self.path("mrt"), "wb") as file:
            file.write(record(1, bytes(4) + b"\x00\x00" + b"\x00\x01" + peer))
            # The tool loses the last of what it reads when it ends: the last prefix many times.
            for number in [*range(count), *[count - 1] * 5000]:
                address = struct.pack(">I", 0xC6120000 + number)
                file.write(record(2, struct.pack(">IB", number, 32) + address + struct.pack(
                    ">HHIH", 1, 0, 0, len(attributes)) + attributes))
        self.inside("gobgp", "mrt", "inject", "global", self.path("mrt"), "--no-ipv6",
                    "--nexthop", self.here)

    def withdraw(self, _):
        self.inside("gobgp", "global", "rib", "del", "all")


class ExaBGP(Sender):
    programs = ("exabgp",)

    def start(self, _):
        orders, scribe = self.path("orders"), self.path("scribe")
        os.mkfifo(orders)
        self.file("scribe", f"#!/bin/sh\nexec cat <>{orders}\n")
        os.chmod(scribe, 0o755)
        file = self.file("conf", f"""process orders {{ run {scribe}; encoder text; }}
neighbor {self.there} {{
  local-address {self.here}; local-as {SENDER_AS}; peer-as {RECEIVER_AS};
  router-id 198.51.100.6; passive true;
  family {{ ipv4 unicast; }}
  api {{ processes [ orders ]; }}
}}
""")
        settings = ("daemon.user=root", "daemon.drop=false", "api.cli=false", "api.ack=false",
                    "log.level=ERR", f"tcp.bind={self.here}")
        self.spawn("env", *(f"exabgp.{each}" for each in settings), "exabgp", file)
        time.sleep(1.5)

    def order(self, word, count):
        # Without a reader this fails, where another mode would wait for one for ever.
        end = os.open(self.path("orders"), os.O_WRONLY | os.O_NONBLOCK)
        os.set_blocking(end, True)
        with open(end, "w") as pipe:
            for begin in range(0, count, 200):
                some = " ".join(prefix(n) for n in range(begin, min(begin + 200, count)))
                pipe.write(f"{word} attributes next-hop {self.here} nlri {some}\n")

    def load(self, count):
        self.order("announce", count)

    def withdraw(self, count):
        self.order("withdraw", count)


SENDERS = {"martlet": Martlet, "bird": BIRD, "openbgpd": OpenBGPD, "frr0": FRRAtOnce,
           "frr": FRR, "gobgp": GoBGP, "exabgp": ExaBGP}
