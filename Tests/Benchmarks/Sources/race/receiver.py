"""The receiver of all senders: BIRD 2, asked over its control socket, its log as the clock."""

import datetime
import re
import socket
import time

from race.wire import RECEIVER_AS, SENDER_AS

HEAD = """router id 198.51.100.1;
log "{log}" all;
timeformat log iso long us;
protocol device {{}}
"""

SESSION = """protocol bgp from_{name} {{
    disabled;
    debug {{ states, events }};
    local {there} as {asn};
    neighbor {here} as {sender};
    connect delay time 1; connect retry time 1; error wait time 1, 1;
    ipv4 {{ import all; export none; }};
}}
"""


class Receiver:
    def __init__(self, wires, ends):
        """`ends`: by the name of a sender, its address and ours."""
        self.log = wires.path("receiver-events.log")
        text = HEAD.format(log=self.log)
        for name, (here, there) in ends.items():
            text += SESSION.format(name=name, here=here, there=there, asn=RECEIVER_AS,
                                   sender=SENDER_AS)
        control = wires.path("receiver.ctl")
        self.process = wires.start(
            wires.receiver, "bird", "-f", "-c", wires.write("receiver.conf", text),
            "-s", control, "-P", wires.path("receiver.pid"), log="receiver.log")
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 5
        while self.socket.connect_ex(control):
            if time.monotonic() > deadline:
                raise RuntimeError("the receiver does not start")
            time.sleep(0.02)
        self.reply()

    def reply(self):
        text = ""
        while not re.search(r"^\d{4} .*\n\Z", text, re.M):
            text += self.socket.recv(65536).decode()
        return text

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\n")
        return self.reply()

    def imported(self, name):
        found = re.search(r"Routes:\s+(\d+) imported", self.ask(f"show protocols all from_{name}"))
        return int(found.group(1)) if found else 0

    def established(self, name):
        """When the last session with a sender began, by its log; `None` for never."""
        with open(self.log) as file:
            lines = re.findall(
                rf"^(\S+ \S+) <TRACE> from_{name}: BGP session established", file.read(), re.M)
        return lines and datetime.datetime.fromisoformat(lines[-1]).timestamp() or None

    def is_up(self, name):
        return "Established" in self.ask(f"show protocols from_{name}")

    def open(self, name, nudge, patience=60):
        """Begins a session. Waits only until the first sign of it: the race is on."""
        self.ask(f"enable from_{name}")
        deadline, nudged = time.monotonic() + patience, time.monotonic()
        while not self.is_up(name):
            if time.monotonic() > deadline:
                return False
            if time.monotonic() - nudged > 2:
                nudge()
                nudged = time.monotonic()
            time.sleep(0.001)
        return True

    def close(self, name):
        self.ask(f"disable from_{name}")
        time.sleep(0.5)

    def until(self, name, condition, patience=60):
        """The time of day at which the number of routes was seen to fulfil a condition."""
        deadline = time.monotonic() + patience
        while not condition(self.imported(name)):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.001)
        return time.time()
