#!/usr/bin/env python3
"""Measures the data plane beside others that do the same work.

Called by Tests/Benchmarks/run.sh --dataplane. The node is the network namespace that this runs in;
clients and endpoints have one each.

- module: the daemon's data plane alone (DataplaneBenchmark), driven by states of a cluster.
- daemon: `martlet run` on a folder of manifests. First sync: from the start of the process until
  the kernel has every Service, by the number of the kernel's last transaction, asked every
  millisecond. A change: from the moment at which a manifest with another endpoint is in its place
  until the kernel tells its listeners of the end of the transaction. CPU is of all threads.
  Heir: after kill -9 and one change, from the start of the next process until the kernel has that.
- generator: a ruleset with a rule a Service and one an endpoint, written anew and given to `nft -f`
  as a whole; and, kinder, only the one chain that changed. CPU is that of nft.
- kube-proxy (--kube-proxy PROGRAM): mode nftables, at the scripted API server (--server), without
  its pauses (minSyncPeriod of 1 ms). A change is from the answer to the PATCH.
- traffic: connections through the node to one endpoint, opened one after another (latency) and 16
  at once (rate), one byte each way; and datagrams of one flow. Rounds of all ways take turns.
"""

import argparse
import os
import statistics
import sys
import time

import machine
from backing.generator import Generator
from backing.daemon import Martlet
from backing.kubeproxy import KubeProxy
from backing.node import Node
from backing.traffic import measure_counters, measure_traffic


def spread(values, unit="ms"):
    values = sorted(values)
    return (f"median {statistics.median(values):.2f} {unit}, "
            f"p99 {values[min(len(values) - 1, int(len(values) * 0.99))]:.2f}, "
            f"worst {values[-1]:.2f} (n {len(values)})")


def measure_module(options, count, changes):
    print(f"== the data plane alone, {count} Services, load {machine.load_average():.1f}")
    print(machine.run(options.benchmark, str(count), str(changes)), end="", flush=True)


def measure_rival(rival, count, changes, label):
    """First sync, single changes, CPU and memory of one who keeps the node's tables."""
    first = rival.begin(count)
    cpu = rival.cpu()
    print(f"{label}, {count} Services, load {machine.load_average():.1f}: first sync "
          f"{first:.2f} s ({cpu:.2f} s of CPU)", flush=True)
    try:
        rival.settle()
        before, times = rival.cpu(), []
        for number in range(changes):
            times.append(rival.change(number) * 1000)
            time.sleep(0.03)
        spent = (rival.cpu() - before) / changes * 1000
        print(f"  one change: {spread(times)}; {spent:.1f} ms of CPU; load "
              f"{machine.load_average():.1f}", flush=True)
        resident = rival.memory()
        if resident:
            print(f"  memory {resident[0]:.0f} MiB, of it private {resident[1]:.0f}", flush=True)
        heir = rival.succeed()
        if heir is not None:
            print(f"  heir in step after {heir:.2f} s", flush=True)
    finally:
        rival.end()


def measure_syncs(node, options):
    print("== first sync and single changes, beside others", flush=True)
    short = options.short
    for count in options.sizes or ((1000,) if short else (1000, 10000)):
        if options.only in (None, "module"):
            measure_module(options, count, 100 if short else 500)
        if options.only in (None, "daemon"):
            for _ in range(1 if short else 2):
                measure_rival(Martlet(node, options.martlet, rest=4 if short else 12), count,
                              100 if short else 200, "martlet")
        if options.only in (None, "generator"):
            few = 3 if short else 10
            for whole in (True, False):
                measure_rival(Generator(node, whole), count,
                              (few if count <= 1000 else 3) if whole else 10 * few,
                              "generator, " + ("all of it" if whole else "one chain"))
        if options.only in (None, "kube-proxy") and options.kube_proxy:
            measure_rival(KubeProxy(node, options.kube_proxy, options.server), count,
                          100 if count <= 1000 else 10, "kube-proxy")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--benchmark", required=True)
    parser.add_argument("--kube-proxy", metavar="PROGRAM")
    parser.add_argument("--server", metavar="PROGRAM")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--nightly", action="store_true")
    parser.add_argument("--sizes", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--only", choices=("module", "daemon", "generator", "kube-proxy",
                                           "traffic", "counters"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        # A network of its own.
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv, "--inside"])
    with Node(options.tools) as node:
        measure_syncs(node, options)
        if options.only in (None, "traffic"):
            measure_traffic(node, options)
        if options.only in (None, "counters"):
            measure_counters(node, options)


if __name__ == "__main__":
    main()
