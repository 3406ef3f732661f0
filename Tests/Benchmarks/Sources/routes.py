"""Races Martlet as a sender of routes against other BGP speakers, and times single changes.

Called by Tests/Benchmarks/run.sh. One receiver (BIRD 2) has a wire to every sender; one sender
runs at a time. Series follow each other, so that each sender sees the same mood of the machine.

- table: from the moment at which the receiver logs that the session is established, to that at
  which its control socket says that the last prefix was imported (asked every millisecond);
  first–last leaves out what a sender waits before it begins (BIRD: often three seconds).
- CPU: of all the sender's threads, from the order to connect to that last prefix.
- memory: resident with the table told, above what it was without a route.
- withdrawal: from the order, and from the first prefix gone, to the last one.
- change: from the order (a call, a state of the cluster, a file) to the capture's time stamp of the
  UPDATE at the receiver's end of the wire.
"""

import argparse
import os
import shutil
import signal
import statistics
import sys
import time

from machine import load_average
from race.daemon import Daemon
from race.receiver import Receiver
from race.senders import SENDERS
from race.wire import Wires, cpu, prefix, resident, settle, updates


class Race:
    def __init__(self, options, wires):
        self.options, self.wires, self.rows = options, wires, {}
        self.senders = {name: SENDERS[name](wires, name) for name in options.senders}
        self.daemon = Daemon(wires, "daemon", options.martlet)
        everyone = [*self.senders.values(), self.daemon]
        self.receiver = Receiver(
            wires, {sender.name: (sender.here, sender.there) for sender in everyone})

    def note(self, name, count, what, value):
        if value is not None:
            self.rows.setdefault((count, name), {}).setdefault(what, []).append(value)

    def table(self, sender, count):
        """One session, from its begin to the last prefix; the session stays."""
        before = cpu(sender.processes)
        if not self.receiver.open(sender.name, sender.nudge):
            print(f"  {sender.name}: no session")
            return False
        first = self.receiver.until(sender.name, lambda seen: seen > 0)
        end = self.receiver.until(sender.name, lambda seen: seen >= count)
        begin = self.receiver.established(sender.name)
        if end is None or begin is None:
            print(f"  {sender.name}: {self.receiver.imported(sender.name)} of {count} came")
            return False
        self.note(sender.name, count, "table", (end - begin) * 1000)
        self.note(sender.name, count, "coming", (end - first) * 1000)
        self.note(sender.name, count, "cpu", cpu(sender.processes) - before)
        return True

    def withdrawal(self, sender, count):
        sender.prepare(count)
        settle(sender.processes)
        before, begin = cpu(sender.processes), time.time()
        child = os.fork()
        if child == 0:
            # The order may take long itself, and is not to keep the judge from looking.
            sender.withdraw(count)
            os._exit(0)
        first = self.receiver.until(sender.name, lambda seen: seen < count)
        end = first and self.receiver.until(sender.name, lambda seen: seen == 0)
        os.waitpid(child, 0)
        if end:
            self.note(sender.name, count, "gone", (end - begin) * 1000)
            self.note(sender.name, count, "going", (end - first) * 1000)
            self.note(sender.name, count, "gone cpu", cpu(sender.processes) - before)

    def series(self, name, count):
        sender = self.senders[name]
        sender.start(self.options.sender)
        settle(sender.processes)
        idle = resident(sender.processes)
        sender.load(count)
        settle(sender.processes)
        for number in range(self.options.rounds):
            if self.table(sender, count):
                self.note(name, count, "memory", resident(sender.processes) - idle)
            if number == self.options.rounds - 1:
                self.withdrawal(sender, count)
            self.receiver.close(name)
        self.note(name, count, "load", load_average())
        sender.stop()

    def changes(self, count):
        """Single changes among `count` routes: what is ordered by calls, then by states."""
        sender = self.senders["martlet"]
        for what, load, order in (("call", ("announce", count), "change"),
                                  ("state", ("cluster", count), "endpoints")):
            sender.start(self.options.sender)
            sender.order(*load)
            if self.table(sender, count):
                settle(sender.processes)
                with Capture(self.wires, sender.device) as capture:
                    lines = sender.order(order, self.options.changes, 3000)
                times = [int(stamp) for _, stamp in lines]
                capture.report(f"{what} → UPDATE, {count} routes",
                               [each for each, _ in lines], times)
            self.receiver.close(sender.name)
            sender.stop()

    def files(self, count):
        """The daemon as it is run, with a file for what is changed."""
        daemon = self.daemon
        singles = self.options.files
        daemon.start(count, singles)
        for number in range(self.options.rounds):
            if not self.receiver.open(daemon.name, daemon.nudge):
                return print("  daemon: no session")
            if number == 0 and not self.receiver.until(
                    daemon.name, lambda seen: seen >= count, patience=90):
                return print(f"  daemon: {self.receiver.imported(daemon.name)} of {count} came")
            settle(daemon.processes)
            self.receiver.close(daemon.name)
            time.sleep(1)
            self.table(daemon, count)
            if number < self.options.rounds - 1:
                self.receiver.close(daemon.name)
        settle(daemon.processes)
        for node, what in (("n2", "file → withdrawal"), ("n1", "file → announcement")):
            with Capture(self.wires, daemon.device) as capture:
                times = []
                for number in range(singles):
                    times.append(daemon.place(number, node))
                    time.sleep(0.25)
            capture.report(f"{what}, {count} Services",
                           [prefix(number) for number in range(singles)], times)
        self.receiver.close(daemon.name)
        daemon.stop()

    def report(self):
        for count in sorted({count for count, _ in self.rows}):
            print(f"\n== {count} prefixes; medians (least–most) of {self.options.series} series")
            print(f"{'':10}{'table, ms':>24}{'first–last':>12}{'CPU, s':>9}{'MiB':>8}"
                  f"{'gone since order, ms':>24}{'first–last':>12}{'CPU, s':>9}{'load':>7}")
            for (_, name), row in self.rows.items():
                if _ != count:
                    continue
                print(f"{name:10}{spread(row, 'table'):>24}"
                      f"{middle(row, 'coming', 0):>12}{middle(row, 'cpu', 3):>9}"
                      f"{middle(row, 'memory', 1):>8}{spread(row, 'gone'):>24}"
                      f"{middle(row, 'going', 0):>12}{middle(row, 'gone cpu', 3):>9}"
                      f"{middle(row, 'load', 1):>7}")


def middle(row, what, digits):
    return f"{statistics.median(row[what]):.{digits}f}" if what in row else "-"


def spread(row, what):
    values = row.get(what)
    return values and (f"{statistics.median(values):.0f} ({min(values):.0f}–{max(values):.0f})"
                       ) or "-"


class Capture:
    """What a wire carries towards the receiver, at its end of it."""

    def __init__(self, wires, device):
        self.wires, self.device = wires, device
        self.path = wires.path("capture.pcap")

    def __enter__(self):
        self.process = self.wires.start(
            self.wires.receiver, "tcpdump", "-i", self.device, "-Q", "in", "-U", "-w", self.path,
            "--time-stamp-precision=nano", "--immediate-mode", "tcp", log="capture.log")
        time.sleep(0.7)
        return self

    def __exit__(self, *_):
        time.sleep(0.5)
        self.wires.end(self.process, signal.SIGINT)

    def report(self, title, prefixes, times):
        heard, waits = updates(self.path), []
        for each, ordered in zip(prefixes, times):
            after = [stamp for stamp in heard.get(each, []) if stamp >= ordered]
            if after:
                waits.append((after[0] - ordered) / 1e6)
        waits.sort()
        if not waits:
            return print(f"{title}: nothing came")
        p99 = waits[min(len(waits) - 1, len(waits) * 99 // 100)]
        print(f"{title}: median {statistics.median(waits):.2f} ms, p99 {p99:.2f},"
              f" worst {waits[-1]:.2f}; {len(waits)} of {len(times)}; load {load_average():.1f}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--tools", help="not needed here")
    parser.add_argument("--sender", required=True)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--nightly", action="store_true", help="no other than without")
    parser.add_argument("--senders", type=lambda text: text.split(","))
    parser.add_argument("--counts", type=lambda text: [int(each) for each in text.split(",")])
    parser.add_argument("--series", type=int)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--services", type=int)
    parser.add_argument("--only", choices=("tables", "changes", "files"))
    options = parser.parse_args()
    short = options.short
    options.counts = options.counts or ([100_000] if short else [10_000, 100_000])
    options.series = options.series or (1 if short else 3)
    options.rounds = options.rounds or (1 if short else 3)
    options.changes, options.files = (300, 10) if short else (2000, 40)
    wanted = options.senders or (["martlet", "bird"] if short else list(SENDERS))
    options.senders = []
    if options.only != "tables":
        wanted = ["martlet", *wanted]
    for name in dict.fromkeys(wanted):
        missing = [each for each in SENDERS[name].programs if not shutil.which(each)]
        if missing:
            print(f"{name} left out: no {', '.join(missing)}")
        else:
            options.senders.append(name)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    print("\n== routes: one receiver (BIRD), one sender at a time")
    with Wires() as wires:
        race = Race(options, wires)
        if options.only in (None, "tables"):
            for _ in range(options.series):
                for count in options.counts:
                    for name in options.senders:
                        race.series(name, count)
        if options.only in (None, "changes"):
            race.changes(10_000)
        if options.only in (None, "files"):
            race.files(options.services or (1_000 if short else 10_000))
        race.report()


main()
