"""Races Martlet against keepalived: who answers, and when, after a node is lost or leaves.

Called by Tests/Benchmarks/run.sh. The judge is a capture on the LAN; see race/lan.py for the
ground, race/judge.py for what is read from it, race/scenarios.py for the faults.
"""

import argparse
import json
import signal
import sys

from race import report
from race.crowd import crowd
from race.endurance import endurance
from race.lan import NODES, RaceLAN
from race.rest import at_rest
from race.rivals import Keepalived, intervals
from race.scenarios import CUT, DRAIN, HALVES, KILL, ONE_WAY, PAUSE, STOP
from race.speakers import SERVICE_PORT, Martlet
from race.trials import race


def plan(options):
    """(scenario, family, who) in the order of the run: each yardstick right after the daemon."""
    everyone = [None, *intervals(options)]
    fast = [None, everyone[-1]]
    rows = [(KILL, 4, everyone), (CUT, 4, everyone), (STOP, 4, everyone), (DRAIN, 4, [None]),
            (KILL, 6, fast), (CUT, 6, fast), (HALVES, 4, everyone), (PAUSE, 4, everyone),
            *((scenario, 4, [None]) for scenario in ONE_WAY)]
    for scenario, family, who in rows:
        for interval in who:
            yield scenario, family, interval


def gaps(lan, options):
    print(f"\n== failover, a probe every 2 ms, {options.rounds} runs each: median / p95 / worst")
    print(report.HEAD, flush=True)
    blocks = []
    for scenario, family, interval in plan(options):
        if options.only and scenario.name not in options.only:
            continue
        if options.who and options.who != ("martlet" if interval is None else "keepalived"):
            continue
        group = Martlet(lan, options.martlet) if interval is None else Keepalived(lan, interval)
        rounds = max(1, options.rounds // scenario.one_in)
        try:
            blocks.append(race(lan, group, options.tools, scenario, rounds, family))
            print(report.row(blocks[-1], blocks), flush=True)
        except RuntimeError as error:
            print(f"  {scenario.name} v{family} {group.name}: {error}")
    report.print_probers(blocks)
    for words in report.unlike(blocks):
        print(f"  NOTE {words}")
    return report.plain(blocks)


PARTS = {"gaps": gaps, "crowd": crowd, "rest": at_rest, "endurance": endurance}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--nightly", action="store_true", help="hardship for ten minutes each")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--json", help="write everything that was measured there")
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated")
    parser.add_argument("--only", action="append", help="a scenario of gaps; may be repeated")
    parser.add_argument("--who", choices=["martlet", "keepalived"], help="in gaps, only these")
    parser.add_argument("--logs", help="a folder to leave the daemons' logs in")
    options = parser.parse_args()
    options.crowds = options.rounds or (1 if options.short else 20)
    options.rounds = options.rounds or (1 if options.short else 20)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    found = {}
    with RaceLAN(logs=options.logs) as lan:
        for node in NODES:
            lan.start(node, f"{options.tools}/Echo", str(SERVICE_PORT), log="echo.log")
        for name in options.part or PARTS:
            found[name] = PARTS[name](lan, options)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(found, file, indent=1)


main()
