"""The node: this process's network namespace, between a client's and one of endpoints."""

import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import machine

CLIENT, NODE, ENDPOINTS = "192.0.2.2", "192.0.2.1", "198.51.100.2"
PORT, ENDPOINT_PORT = 80, 8080

SUBSYSTEM, NEW_GENERATION, GET_GENERATION, TABLES = 10, 15, 16, 7


def dotted(value):
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0))


def balanced(number):
    """The address of a Service that clients outside use."""
    return dotted(0xC6120000 + number)


def inside(number):
    """Its address inside the cluster."""
    return dotted(0xC6128000 + number)


def endpoints(number, turn=0):
    """Its two endpoints; with each turn another takes the second one's place."""
    second = 2 * number + 1 if turn == 0 else 32768 + (number + turn) % 32000
    return dotted(0xC6130000 + 2 * number), dotted(0xC6130000 + second)


class Node:
    def __init__(self, tools):
        self.load = os.path.join(tools, "ConnectionLoad")
        self.id, self.spaces, self.processes = f"mtbacking{os.getpid()}", [], []
        self.folder = tempfile.mkdtemp(suffix="-martlet-backing")

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        machine.run("ip", "link", "set", "lo", "up")
        for name, device, own, other in (("client", "client0", NODE, CLIENT),
                                         ("endpoints", "pods0", "198.51.100.1", ENDPOINTS)):
            space = f"{self.id}-{name}"
            machine.run("ip", "netns", "add", space)
            self.spaces.append(space)
            machine.run("ip", "-n", space, "link", "set", "lo", "up")
            machine.run("ip", "link", "add", device, "type", "veth",
                        "peer", "name", "eth0", "netns", space)
            machine.run("ip", "addr", "add", f"{own}/24", "dev", device)
            machine.run("ip", "link", "set", device, "up")
            machine.run("ip", "-n", space, "addr", "add", f"{other}/24", "dev", "eth0")
            machine.run("ip", "-n", space, "link", "set", "eth0", "up")
            machine.run("ip", "-n", space, "route", "add", "default", "via", own)
        # Every address of endpoints is there.
        machine.run("ip", "-n", self.spaces[1], "route", "add", "local", "198.19.0.0/16",
                    "dev", "lo")
        machine.run("ip", "route", "add", "198.19.0.0/16", "via", ENDPOINTS)
        with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
            file.write("1")

    def __exit__(self, *_):
        for process in self.processes[:]:
            self.end(process)
        for space in self.spaces:
            machine.run("ip", "netns", "del", space, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def start(self, *command, log="log", **streams):
        with open(self.path(log), "a") as file:
            process = subprocess.Popen(command, stderr=file,
                                       **{"stdout": file, "stdin": subprocess.DEVNULL, **streams})
        self.processes.append(process)
        return process

    def serve(self):
        """Starts what answers at every endpoint."""
        process = self.start("ip", "netns", "exec", self.spaces[1], self.load, "serve",
                             str(ENDPOINT_PORT))
        time.sleep(0.2)
        return process

    def ask(self, mode, *words):
        """Lets the client make a load; returns what it says, as numbers by name."""
        text = machine.run("ip", "netns", "exec", self.spaces[0], self.load, mode,
                           *map(str, words))
        return {name: float(value.rstrip("us/")) for name, value in
                (word.split("=") for word in text.split())}

    def end(self, process, number=signal.SIGTERM, patience=20):
        machine.end(process, number, patience)
        if process in self.processes:
            self.processes.remove(process)

    def flush(self):
        machine.run("nft", "flush", "ruleset")


class Generations:
    """The kernel's transactions of nf_tables in this namespace."""

    def __init__(self):
        self.asking = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.asking.bind((0, 0))
        self.hearing = None

    def number(self):
        """That of the last one."""
        kind = SUBSYSTEM << 8 | GET_GENERATION
        self.asking.send(struct.pack("=IHHIIBBH", 20, kind, 1, 1, 0, 0, 0, 0))
        answer = self.asking.recv(4096)
        return struct.unpack_from(">I", answer, 24)[0]

    def wait_for_more(self, number, seconds=120):
        """The number of another one, and when it was first seen."""
        deadline = time.monotonic() + seconds
        while (now := self.number()) == number:
            if time.monotonic() > deadline:
                raise TimeoutError("the kernel's tables do not change")
            time.sleep(0.001)
        return now, time.monotonic()

    def wait_for_rest(self, number, quiet):
        """When the last of those that follow a number was seen, none coming after it for
        some seconds."""
        number, at = self.wait_for_more(number)
        while True:
            try:
                number, at = self.wait_for_more(number, quiet)
            except TimeoutError:
                return at

    def listen(self):
        """Hears of all that end from here on."""
        self.stop_listening()
        self.hearing = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        self.hearing.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        self.hearing.bind((0, 0))
        self.hearing.setsockopt(270, 1, TABLES)  # NETLINK_ADD_MEMBERSHIP
        self.hearing.settimeout(120)

    def stop_listening(self):
        if self.hearing:
            self.hearing.close()
        self.hearing = None

    def hear(self):
        """The time at which the end of the next one was heard."""
        while True:
            data, offset = self.hearing.recv(1 << 16), 0
            now = time.monotonic()
            while offset + 16 <= len(data):
                length, kind = struct.unpack_from("=IH", data, offset)
                if kind == SUBSYSTEM << 8 | NEW_GENERATION:
                    return now
                offset += max(16, length + 3 & ~3)

    def forget(self):
        """Drops what was told and not yet heard."""
        self.hearing.setblocking(False)
        try:
            while True:
                self.hearing.recv(1 << 16)
        except BlockingIOError:
            pass
        self.hearing.settimeout(120)
