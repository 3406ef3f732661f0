"""Pairs of namespaces: a receiver in the middle, every sender behind a wire of its own."""

import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

import machine
from machine import run

RECEIVER_AS, SENDER_AS = 64501, 64500


def prefix(number):
    """The prefixes of all senders: 198.18.0.0/15, one address after the other."""
    value = 0xC6120000 + number
    return ".".join(str(value >> shift & 255) for shift in (24, 16, 8, 0)) + "/32"


class Wires:
    def __init__(self):
        self.id = f"mtroutes{os.getpid()}"
        self.folder = tempfile.mkdtemp(suffix="-martlet-routes")
        # Some senders give up root.
        os.chmod(self.folder, 0o755)
        self.processes, self.count, self.spaces = [], 0, []

    def __enter__(self):
        self.receiver = self.space("receiver")
        return self

    def __exit__(self, *_):
        for process in self.processes[:]:
            self.end(process)
        for space in self.spaces:
            run("ip", "netns", "del", space, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def space(self, name):
        space = f"{self.id}-{name}"
        run("ip", "netns", "add", space)
        self.spaces.append(space)
        run("ip", "-n", space, "link", "set", "lo", "up")
        return space

    def plug(self, name):
        """Returns a namespace, its address, the receiver's, and the receiver's end of the wire."""
        space, device, base = self.space(name), f"r{self.count}", 4 * self.count
        self.count += 1
        here, there = f"192.0.2.{base + 2}", f"192.0.2.{base + 1}"
        run("ip", "link", "add", "eth0", "netns", space, "type", "veth",
            "peer", "name", device, "netns", self.receiver)
        for place, end, address in ((space, "eth0", here), (self.receiver, device, there)):
            run("ip", "-n", place, "addr", "add", f"{address}/30", "dev", end)
            run("ip", "-n", place, "link", "set", end, "up")
        return space, here, there, device

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def start(self, space, *command, log, **streams):
        with open(self.path(log), "a") as file:
            process = subprocess.Popen(
                ["ip", "netns", "exec", space, *command], stderr=file,
                **{"stdin": subprocess.DEVNULL, "stdout": file, **streams})
        self.processes.append(process)
        return process

    def end(self, process, number=signal.SIGTERM, patience=5):
        machine.end(process, number, patience)
        if process in self.processes:
            self.processes.remove(process)


def family(process):
    """The process ids of a process and all its descendants."""
    found = [process.pid]
    for pid in found:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as file:
                    found += [int(child) for child in file.read().split()]
        except FileNotFoundError:
            pass
    return found


def cpu(processes):
    """Seconds on a core, to the nanosecond, of all threads."""
    total = 0
    for process in processes:
        for pid in family(process):
            try:
                for task in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                        total += int(file.read().split()[0])
            except FileNotFoundError:
                pass
    return total / 1e9


def resident(processes):
    """MiB."""
    total = 0
    for process in processes:
        for pid in family(process):
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return total / 2**20


def settle(processes, patience=120):
    """Waits until they do nothing."""
    deadline, before = time.monotonic() + patience, cpu(processes)
    while time.monotonic() < deadline:
        time.sleep(0.4)
        now = cpu(processes)
        if now - before < 0.02:
            return
        before = now


def updates(capture):
    """The time (ns) of every UPDATE of a capture for each prefix in it: {prefix: [time]}."""
    with open(capture, "rb") as file:
        data = file.read()
    found, offset = {}, 24
    while offset + 16 <= len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<IIII", data, offset)
        packet = data[offset + 16:offset + 16 + length]
        offset += 16 + length
        ip = packet[14:]
        size = struct.unpack_from(">H", ip, 2)[0]
        tcp = ip[(ip[0] & 15) * 4:size]
        stream = tcp[(tcp[12] >> 4) * 4:]
        # Every write of a small change is a packet of whole messages.
        while len(stream) >= 19 and stream[:16] == b"\xff" * 16:
            count, kind = struct.unpack_from(">HB", stream, 16)
            if kind == 2:
                for each in blocks(stream[:count]):
                    found.setdefault(each, []).append(seconds * 10**9 + nanoseconds)
            stream = stream[count:]
    return found


def blocks(message):
    withdrawn = struct.unpack_from(">H", message, 19)[0]
    attributes = struct.unpack_from(">H", message, 21 + withdrawn)[0]
    for field in (message[21:21 + withdrawn], message[23 + withdrawn + attributes:]):
        while field:
            size = (field[0] + 7) // 8
            octets = list(field[1:1 + size]) + [0] * (4 - size)
            yield ".".join(map(str, octets)) + f"/{field[0]}"
            field = field[1 + size:]
