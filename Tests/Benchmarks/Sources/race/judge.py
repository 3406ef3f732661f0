"""The judge: a capture says who answered and announced, trains say what a client saw."""

import bisect
import bisect
import ipaddress
import struct
import time as clock
from collections import namedtuple

from race.lan import host_address, until

# kind: `answer` goes to the one who asked, `announcement` to all. mac: the frame's source.
Event = namedtuple("Event", "time kind address mac")

# Seconds after which an echo counts as lost.
LATE = 0.1

ANSWERS = ("(arp and (arp[6:2] = 2 or arp[14:4] = arp[24:4]))"
           " or (icmp6 and ip6[40] = 136)")


class Capture:
    """tcpdump into a file, read while it grows."""

    def __init__(self, lan, host):
        self.lan, self.own = lan, bytes.fromhex(lan.mac[host].replace(":", ""))
        self.file = lan.path(f"{host}-{clock.monotonic_ns()}.pcap")
        log = f"tcpdump-{host}.log"
        self.process = lan.start(host, "tcpdump", "-nUi", "eth0", "--immediate-mode", "-s", "128",
                                 "-B", "8192", "-w", self.file, ANSWERS, log=log)
        self.events, self.offset = [], 24
        if not until(10, self.is_listening):
            raise RuntimeError("tcpdump did not start")

    def is_listening(self):
        try:
            with open(self.file, "rb") as file:
                return len(file.read(24)) == 24
        except FileNotFoundError:
            return False

    def read(self):
        with open(self.file, "rb") as file:
            file.seek(self.offset)
            data = file.read()
        place = 0
        while len(data) - place >= 16:
            seconds, micros, length = struct.unpack_from("<III", data, place)
            if len(data) - place - 16 < length:
                break
            event = self.meaning(seconds + micros / 1e6, data[place + 16:place + 16 + length])
            if event:
                self.events.append(event)
            place += 16 + length
        self.offset += place
        return self.events

    def meaning(self, time, frame):
        if frame[6:12] == self.own:
            return None
        kind = "announcement" if frame[0] & 1 else "answer"
        source = frame[6:12].hex(":")
        if frame[12:14] == b"\x08\x06" and len(frame) >= 42:
            return Event(time, kind, str(ipaddress.ip_address(frame[28:32])), source)
        if frame[12:14] == b"\x86\xdd" and len(frame) >= 78:
            return Event(time, kind, str(ipaddress.ip_address(frame[62:78])), source)
        return None

    def stop(self):
        self.lan.end(self.process)
        return self.read()


class Watch:
    """Both trains and the captures, for as long as a block of trials takes."""

    def __init__(self, lan, tools, address, port=7000, interval=2000, count=1, each=1,
                 with_client=True):
        self.lan, self.address = lan, address
        family = ipaddress.ip_address(address).version
        self.capture = Capture(lan, "judge")
        self.train_file, self.asker_file = lan.path("train"), lan.path("asker")
        train = f"{tools}/ProbeTrain"
        self.client = lan.start(
            "client", train, self.train_file, str(interval), "86400", "udp", address, str(port),
            log="train.log") if with_client else None
        self.asker = lan.start(
            "judge", train, self.asker_file, str(interval), "86400", "ask", "eth0",
            host_address("judge", family), address, str(count), str(each), log="asker.log")

    def owner(self, within=0.1):
        """Who answered last, while an answer is no older than `within`."""
        now = clock.time()
        for event in reversed(self.capture.read()):
            if event.time < now - within:
                return None
            if event.kind == "answer" and event.address == self.address:
                return self.lan.host_of.get(event.mac)
        return None

    def answered_by_another(self, owner, since, enough=20):
        """Whether others than the owner have answered so many times."""
        found = 0
        for event in reversed(self.capture.read()):
            if event.time < since or found >= enough:
                break
            found += (event.kind == "answer" and event.address == self.address
                      and event.mac != self.lan.mac[owner])
        return found >= enough

    def stop(self):
        for process in (self.client, self.asker):
            if process:
                self.lan.end(process)
        events = self.capture.stop()
        train = Train(self.train_file) if self.client else None
        return Record(self.lan, self.address, events, train, totals(self.asker_file)[0])


def totals(path):
    with open(path) as file:
        head = dict(part.split("=") for part in file.readline().split())
        return {key: float(value) for key, value in head.items()}, file.readlines()


class Train:
    """A train of datagrams after its end."""

    def __init__(self, path):
        self.totals, lines = totals(path)
        pairs = [tuple(map(float, line.split())) for line in lines]
        self.sent = [sent for sent, _ in pairs]
        # What a host on the way kept in a queue comes late, and is as good as lost.
        self.answered = [0 < answered <= sent + LATE for sent, answered in pairs]
        self.echoes = sorted(answered for _, answered in pairs if answered)

    def lost(self, begin, end):
        first, last = (bisect.bisect_left(self.sent, time) for time in (begin, end))
        return sum(1 for answered in self.answered[first:last] if not answered)

    def hole(self, begin, end):
        """The longest pause between probes that were sent: the sender's own doing."""
        return longest(self.sent, begin, end)

    def gap(self, begin, end):
        return longest(self.echoes, begin, end)


def longest(times, begin, end):
    """The longest pause, from the last before `begin` to the first after `end`."""
    first = max(0, bisect.bisect_right(times, begin) - 1)
    last = min(len(times), bisect.bisect_left(times, end) + 1)
    part = times[first:last]
    if len(part) < 2:
        return end - begin
    # What never came back lasts until the end of the window at least.
    tail = max(0.0, end - part[-1])
    return max(max(b - a for a, b in zip(part, part[1:])), tail)


class Record:
    """Everything that was seen of one address."""

    def __init__(self, lan, address, events, train, asker):
        self.lan, self.train, self.asker = lan, train, asker
        self.events = events
        own = [event for event in events if event.address == address]
        self.answers = [event for event in own if event.kind == "answer"]
        self.announcements = [event for event in own if event.kind == "announcement"]
        self.times = [event.time for event in self.answers]

    def between(self, begin, end):
        first, last = (bisect.bisect_left(self.times, time) for time in (begin, end))
        return self.answers[first:last]

    def asked_gap(self, begin, end):
        return longest(self.times, begin, end)

    def answerers(self, begin, end):
        """Who answered, in the order of first appearance."""
        return list(dict.fromkeys(
            self.lan.host_of.get(event.mac, event.mac) for event in self.between(begin, end)))

    def overlap(self, begin, end):
        """For how long two answered at once: from the second's first to the first's last answer."""
        spans = {}
        for event in self.between(begin, end):
            first, _ = spans.get(event.mac, (event.time, None))
            spans[event.mac] = (first, event.time)
        ordered = sorted(spans.values())
        return max([0.0] + [min(a[1], b[1]) - b[0] for a, b in zip(ordered, ordered[1:])])

    def until_single(self, begin, end):
        """From `begin` until the last answer by another than the one who answers at the end."""
        seen = self.between(begin, end)
        if not seen:
            return None
        final = seen[-1].mac
        others = [event.time for event in seen if event.mac != final]
        return others[-1] - begin if others else 0.0

    def changes(self, begin, end):
        """How often the answering station changed from one answer to the next."""
        seen = self.between(begin, end)
        return sum(1 for a, b in zip(seen, seen[1:]) if a.mac != b.mac)
