"""Long hardship: random loss, or every core busy. No node fails, so no address may move."""

import os
import subprocess
import sys
import time

from machine import load_average
from race.judge import Watch, longest
from race.lan import NODES, until
from race.rivals import Keepalived, intervals
from race.speakers import Martlet, address_of

COUNT = 10


class Busy:
    """Two loops for each core, at ordinary priority."""

    def __enter__(self):
        loop = [sys.executable, "-c", "while True: pass"]
        self.loops = [subprocess.Popen(loop) for _ in range(2 * (os.cpu_count() or 1))]

    def __exit__(self, *_):
        for loop in self.loops:
            loop.kill()
            loop.wait()


class Lossy:
    """Three frames in ten of those that nodes send are lost, of every kind."""

    def __init__(self, lan):
        self.lan = lan

    def __enter__(self):
        self.lan.fault("lossy", *NODES)

    def __exit__(self, *_):
        self.lan.heal()


def endurance(lan, options):
    seconds = 600 if options.nightly else 8 if options.short else 20
    print(f"\n== hardship for {seconds} s; every move of an address to another node is a false one")
    results = {}
    for name, hardship in (("30 % loss", lambda: Lossy(lan)), ("all cores busy", Busy)):
        rivals = [Keepalived(lan, interval) for interval in intervals(options)]
        for group in (Martlet(lan, options.martlet, COUNT), *rivals):
            if isinstance(group, Keepalived):
                addresses = [group.address(4)]
            else:
                addresses = [address_of(index) for index in range(COUNT)]
            try:
                found = endure(lan, options, group, addresses, hardship, seconds)
            except RuntimeError as error:
                print(f"  {name}, {group.name}: {error}")
                continue
            results[f"{name}, {group.name}"] = found
            print(f"  {name:15}{group.name:18} moves {found['moves']:>4}"
                  f"  of {len(addresses)} addresses, announcements by others"
                  f" {found['announced by others']:>4}, longest time without an answer"
                  f" {found['worst gap']:.0f} ms, load {found['load']:.1f}")
    return results


def endure(lan, options, group, addresses, hardship, seconds):
    watch = None
    try:
        group.start()
        watch = Watch(lan, options.tools, addresses[0], interval=10_000, count=len(addresses),
                      each=len(addresses), with_client=False)
        if not until(20, watch.owner):
            raise RuntimeError("nobody answers")
        time.sleep(1)
        with hardship():
            begin = time.time()
            time.sleep(seconds)
            load = load_average()
        # What happens right afterwards belongs to it.
        time.sleep(2)
        end = time.time()
    finally:
        record = watch.stop() if watch else None
        group.stop()
    moves, others, worst = 0, 0, 0
    for address in addresses:
        seen = [event for event in record.events
                if event.address == address and begin - 0.5 <= event.time < end]
        answers = [event for event in seen if event.kind == "answer"]
        if not answers:
            raise RuntimeError(f"nobody answered for {address}")
        owner = answers[0].mac
        moves += sum(1 for a, b in zip(answers, answers[1:]) if a.mac != b.mac)
        others += sum(1 for event in seen if event.kind == "announcement" and event.mac != owner)
        worst = max(worst, longest([event.time for event in answers], begin, end))
    return {"moves": moves, "announced by others": others, "worst gap": 1000 * worst,
            "load": load}
