"""A node that owns a thousand addresses and is lost or leaves: until all are answered again."""

import time
from collections import Counter

from machine import load_average
from race.judge import Watch, longest
from race.lan import NODES, until
from race.speakers import Martlet, address_of
from race.trials import summary

COUNT = 1000
# 25 questions a millisecond: each address is asked again every 40 ms.
EACH, INTERVAL = 25, 1000
PATIENCE = 20.0


def crowd(lan, options):
    print(f"\n== {COUNT} addresses on one node, {options.crowds} runs each:"
          " median / p95 / worst, ms")
    results = {}
    for name, strike in (("kill -9", Martlet.kill), ("SIGTERM", Martlet.terminate)):
        if options.only and name not in options.only:
            continue
        runs = []
        for _ in range(options.crowds):
            try:
                runs.append(trial(lan, options, strike))
            except RuntimeError as error:
                print(f"  {name}: {error}")
        results[name] = runs
        if runs:
            show(name, runs)
    return results


def trial(lan, options, strike):
    owner = NODES[0]
    addresses = [address_of(index) for index in range(COUNT)]
    group = Martlet(lan, options.martlet, COUNT, ready=[owner], families=(4,))
    watch = None
    try:
        group.start()
        watch = Watch(lan, options.tools, addresses[0], interval=INTERVAL, count=COUNT, each=EACH,
                      with_client=False)
        if not until(60, lambda: answered(watch, [lan.mac[owner]], 0.2) == COUNT):
            raise RuntimeError(f"{owner} does not answer for all")
        ready = time.time()
        group.set_ready(NODES)
        time.sleep(2)
        if answered(watch, [lan.mac[owner]], 0.2) != COUNT:
            raise RuntimeError(f"not all addresses stayed at {owner}")
        load = load_average()
        begin = time.time()
        strike(group, owner)
        heirs = [lan.mac[node] for node in NODES if node != owner]
        until(PATIENCE, lambda: answered(watch, heirs, time.time() - begin) == COUNT)
        time.sleep(1)
        end = time.time()
    finally:
        record = watch.stop() if watch else None
        group.stop()
    return judged(record, addresses, set(heirs), lan.mac[owner], (ready, begin, end), load)


def answered(watch, macs, within):
    """How many addresses were answered by one of the stations in the last seconds."""
    since = time.time() - within
    found = set()
    for event in reversed(watch.capture.read()):
        if event.time < since:
            break
        if event.kind == "answer" and event.mac in macs:
            found.add(event.address)
    return len(found)


def judged(record, addresses, heirs, old, moments, load):
    ready, begin, end = moments
    first = {"answer": {}, "announcement": {}}
    last_of_old, answers = {}, {address: [] for address in addresses}
    frames = Counter()
    for event in record.events:
        if event.address not in answers or event.time > end:
            continue
        if event.kind == "answer":
            answers[event.address].append(event.time)
            if event.mac == old:
                last_of_old[event.address] = event.time
        if event.time < begin or event.mac not in heirs:
            continue
        first[event.kind].setdefault(event.address, event.time)
        if event.kind == "announcement":
            frames[int((event.time - begin) * 100)] += 1
    taken = [1000 * (first["answer"][address] - begin)
             for address in addresses if address in first["answer"]]
    announced = [1000 * (time_ - begin) for time_ in first["announcement"].values()]
    overlaps = [1000 * (last_of_old.get(address, 0) - first["answer"].get(address, end))
                for address in addresses]
    # Up to the last answer that came for sure before the fault.
    calm = begin - 2 * COUNT / EACH * INTERVAL / 1e6
    before = max((longest(times, ready, calm) for times in answers.values()), default=0)
    after = max((longest(times, begin, end) for times in answers.values()), default=0)
    return {
        "answered": len(taken), "announced": len(announced),
        "first answered": min(taken, default=None), "last answered": max(taken, default=None),
        "last announced": max(announced, default=None), "worst gap": 1000 * after,
        "worst gap before": 1000 * before,
        "longest overlap": max(0, *overlaps), "frames": sum(frames.values()),
        "frames in 10 ms": max(frames.values(), default=0), "load": load}


def show(name, runs):
    complete = [run for run in runs if run["answered"] == COUNT]
    print(f"  {name}: all addresses answered by others in {len(complete)} of {len(runs)} runs,"
          f" load average {min(r['load'] for r in runs):.2f}–{max(r['load'] for r in runs):.2f}")
    for key in ("first answered", "last answered", "last announced", "worst gap before",
                "worst gap", "longest overlap", "frames", "frames in 10 ms"):
        values = [run[key] for run in complete if run[key] is not None]
        if values:
            print(f"    {key:18}" + " / ".join(f"{value:.0f}" for value in summary(values)))
