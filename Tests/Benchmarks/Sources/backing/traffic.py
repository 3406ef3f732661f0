"""Traffic through the node's rules, and past them."""

import statistics

import machine
from backing.daemon import Martlet
from backing.generator import Generator
from backing.node import ENDPOINT_PORT, PORT, balanced, endpoints


class Direct:
    """No rules at all: the node is a router."""

    def begin(self, _):
        pass

    def end(self):
        pass


def fast(node):
    """Connections that are over are forgotten soon, so that their table stays small."""
    for name in ("close", "time_wait"):
        with open(f"/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_{name}", "w") as file:
            file.write("1")
    return node.serve()


def measure_traffic(node, options):
    print("== new connections through the node", flush=True)
    short = options.short
    ways = [("no rules", Direct(), 0)]
    ways += [("generator", Generator(node, True), count)
             for count in ((1000,) if short else (1, 1000))]
    ways += [("martlet", Martlet(node, options.martlet), count)
             for count in ((1, 1000) if short else (1, 1000, 10000))]
    found = {}
    server = fast(node)
    for _ in range(1 if short else 3):
        for name, who, count in ways:
            who.begin(count)
            try:
                # The last Service is the one that a linear ruleset finds last.
                target = ((balanced(count - 1), PORT) if count else
                          (endpoints(0)[0], ENDPOINT_PORT))
                alone = node.ask("connect", *target, 1, 1 if short else 2)
                crowd = node.ask("connect", *target, 16, 1 if short else 2)
            finally:
                who.end()
            found.setdefault((name, count), []).append(
                (alone["p50"], alone["p99"], crowd["rate"], alone["failed"] + crowd["failed"]))
    node.end(server)
    print("                  Services   p50, µs   p99, µs   connections/s   failed")
    for (name, count), rounds in found.items():
        p50, p99, rate, failed = (statistics.median(column) for column in zip(*rounds))
        print(f"  {name:14}{count:10}{p50:10.1f}{p99:10.1f}{rate:16.0f}{failed:9.0f}", flush=True)
    print(f"  medians of {len(rounds)} rounds; load {machine.load_average():.1f}")


def measure_counters(node, options):
    print("== what counters cost: datagrams of one flow, 1,000 Services", flush=True)
    server, found = fast(node), {}
    rounds = 1 if options.short else 7
    for _ in range(rounds):
        for counters in ("none", "connections", "traffic"):
            who = Martlet(node, options.martlet, counters)
            who.begin(1000)
            try:
                floods = [node.ask("flood", balanced(999), PORT, 0.5) for _ in range(4)]
            finally:
                who.end()
            found.setdefault(counters, []).extend(
                (flood["cpu"], flood["rate"]) for flood in floods)
    node.end(server)
    for counters, values in found.items():
        spent, rates = zip(*values)
        print(f"  {counters:12} {statistics.median(spent):.3f} µs of the sender's CPU a datagram "
              f"({min(spent):.3f} to {max(spent):.3f}); {statistics.median(rates):.0f} arrive a "
              f"second ({min(rates):.0f} to {max(rates):.0f})", flush=True)
    none, traffic = ([spent for spent, _ in found[name]] for name in ("none", "traffic"))
    print(f"  traffic to none: {statistics.median(traffic) / statistics.median(none):.3f}, of the "
          f"least {min(traffic) / min(none):.3f}; {len(none)} floods each; load "
          f"{machine.load_average():.1f}")
