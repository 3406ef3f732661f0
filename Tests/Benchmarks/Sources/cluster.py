#!/usr/bin/env python3
"""Measures controller and speakers against an API server.

Called by Tests/Benchmarks/run.sh --cluster. The server is the scripted one of the tests, or, with
--server FOLDER, one that runs in this network namespace already (the folder holds admin.,
controller. and speaker.kubeconfig; the CRDs and the RBAC of deploy/kubernetes are applied). It
shares the machine's cores with what is measured.

- address: from the answer to the POST of a Service until one who watches has read the event with
  its address. The floor is the same with a loop in the controller's place that PATCHes whatever it
  sees: what remains above it is the controller's. The server's own time of such a PATCH is by the
  server's count.
- burst: from the first POST (eight connections) until the last Service is seen with an address;
  with --waiting the controller starts when all Services wait: from its start. Requests are those
  that the server counted; CPU is of all threads of the controller (schedstat).
- change: from the answer to the PATCH that moves the only endpoint of a Service (policy Local) to
  another node, to the kernel's time stamp of the frame on the bridge: the new owner's first
  announcement by ARP, the old node's UPDATE that withdraws the route (to BIRD) and the new one's
  that announces it. Less than zero: the event overtook the answer.
- memory: with everything announced by layer 2, ten endpoints a Service, after some rest.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

import machine
from apiserver.client import (MERGE, SERVICES, SLICES, Addresses, echo, endpoints, node, service)
from apiserver.ground import HUB, Cluster, Ground, Judge
from race.receiver import Receiver

PATCH = ("patch", "services/status")


def spread(values, unit="ms"):
    values = sorted(values)
    ninety_nine = values[min(len(values) - 1, int(len(values) * 0.99))]
    return (f"median {statistics.median(values):.1f} {unit}, p99 {ninety_nine:.1f}, "
            f"worst {values[-1]:.1f}")


def one_by_one(cluster, count, prefix):
    """The times of the POSTs, and from each answer until the address is seen, in ms."""
    addresses, posts, waits = Addresses(cluster.server), [], []
    for number in range(count):
        name, begin = f"{prefix}{number}", time.monotonic()
        cluster.server.ask("POST", SERVICES, service(name))
        answered = time.monotonic()
        if not addresses.wait([name], 30):
            sys.exit(f"{name} has no address after 30 s")
        posts.append((answered - begin) * 1000)
        waits.append((addresses.seen[name] - answered) * 1000)
        time.sleep(0.01)
    return posts, waits


class Counting:
    """What happens on the server and in a process between begin and end."""

    # The Services themselves, and the record of their cluster addresses that the server makes.
    NOT_OURS = (("create", "services"), ("create", "ipaddresses"))

    def __init__(self, cluster):
        self.cluster = cluster
        self.requests, self.inside = cluster.server.counts()
        self.cpu = cluster.cpu(cluster.controller) if cluster.controller else 0

    def end(self):
        cluster = self.cluster
        cpu = cluster.cpu(cluster.controller) - self.cpu
        requests, inside = cluster.server.counts()
        changed = {key: round(value - self.requests.get(key, 0)) for key, value in requests.items()
                   if key[0] not in ("watch", "list", "get")
                   and key not in Counting.NOT_OURS}
        patches = changed.pop(PATCH, 0)
        took = (inside.get(PATCH, 0) - self.inside.get(PATCH, 0)) / max(patches, 1) * 1000
        others = ", ".join(f"{count} {verb} {resource}"
                           for (verb, resource), count in sorted(changed.items()) if count)
        return cpu, (f"{patches} PATCHes of Services, {took:.2f} ms each inside the server; "
                     f"{others or 'nothing else'}")


def singles(cluster, count, label, prefix):
    counting = Counting(cluster)
    posts, waits = one_by_one(cluster, count, prefix)
    _, requests = counting.end()
    print(f"{label:22} {spread(waits)}; POST {statistics.median(posts):.1f} ms; "
          f"load {machine.load_average():.1f}\n{'':22} {requests}", flush=True)


def floor(ground, options, count):
    """The same with a loop that has nothing to decide."""
    cluster = Cluster(ground, options.martlet, options.server)
    loop = subprocess.Popen([sys.executable, "-B", __file__, "--echo", cluster.files["controller"]],
                            stdout=subprocess.PIPE, text=True)
    try:
        loop.stdout.readline()
        one_by_one(cluster, 5, "warm")
        posts, waits = one_by_one(cluster, count, "floor")
        print(f"{'floor':22} {spread(waits)}; POST {statistics.median(posts):.1f} ms; "
              f"load {machine.load_average():.1f}", flush=True)
    finally:
        loop.kill()
        loop.wait()
        cluster.stop()


def burst(cluster, count, prefix, waiting=False):
    """Many Services at once; or a controller that comes when many wait."""
    names = [f"{prefix}{number}" for number in range(count)]
    addresses = Addresses(cluster.server)
    counting, begin = Counting(cluster), time.monotonic()
    cluster.server.make(SERVICES, [service(name) for name in names])
    made = time.monotonic() - begin
    if waiting:
        time.sleep(0.5)
        begin = time.monotonic()
        cluster.start_controller()
    if not addresses.wait(names, 300):
        sys.exit(f"{sum(name not in addresses.seen for name in names)} have no address")
    seen = sorted(addresses.seen[name] - begin for name in names)
    # Events wait until writes have left room for them.
    time.sleep(1)
    cluster.settle()
    cpu, requests = counting.end()
    how = "wait at the start" if waiting else f"made in {made:.2f} s"
    print(f"{count:6} {how}: all have one after {seen[-1]:.2f} s (the first after "
          f"{seen[0] * 1000:.0f} ms); the controller: {cpu:.2f} s of CPU, "
          f"{machine.memory(cluster.controller)[0]:.0f} MiB; load {machine.load_average():.1f}\n"
          f"{'':22} {requests}", flush=True)


def measure_addresses(ground, options):
    print("== a Service's address, from an API server", flush=True)
    count = 100 if options.short else options.singles
    floor(ground, options, count)
    cluster = Cluster(ground, options.martlet, options.server)
    try:
        cluster.start_controller()
        one_by_one(cluster, 5, "warm")
        singles(cluster, count, "0 Services present", "none")
        burst(cluster, 1000, "present")
        singles(cluster, count, "1,000 present", "some")
        if not options.short:
            burst(cluster, 10000, "many")
            singles(cluster, count, "11,000 present", "more")
    finally:
        cluster.stop()
    for count in (1000,) if options.short else (1000, 10000):
        cluster = Cluster(ground, options.martlet, options.server)
        try:
            burst(cluster, count, "waiting", waiting=True)
        finally:
            cluster.stop()


class Moves:
    """Services whose one endpoint moves from node to node."""

    COUNT = 20

    def __init__(self, ground, options, present):
        self.cluster = Cluster(ground, options.martlet, options.server)
        self.ground, self.present = ground, present
        self.ends = {name: self.cluster.plug(name) for name in ("n1", "n2")}
        self.links = {name: ground.link_address(self.cluster.spaces[name]).strip()
                      for name in self.ends}
        self.router = Receiver(ground, {name: (there, HUB) for name, there in self.ends.items()})
        self.cluster.announce(by_bgp=True)

    def begin(self):
        """Returns whether everything that is to be announced is."""
        server, cluster = self.cluster.server, self.cluster
        names = [f"move{number}" for number in range(self.COUNT)]
        others = [f"stay{number}" for number in range(self.present)]
        addresses = Addresses(server)
        server.make(SERVICES, [service(name, externalTrafficPolicy="Local")
                               for name in names + others])
        server.make(SLICES, [endpoints(name, ["n1"]) for name in names + others])
        cluster.start_controller()
        for name in self.ends:
            cluster.start_speaker(name)
            self.router.ask(f"enable from_{name}")
        if not addresses.wait(names + others, 60):
            return False
        found = server.read(SERVICES)["items"]
        self.names = [(each["metadata"]["name"], each["status"]["loadBalancer"]["ingress"][0]["ip"])
                      for each in found if each["metadata"]["name"].startswith("move")]
        deadline = time.monotonic() + 60
        while self.router.imported("n1") < len(names + others):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        cluster.settle()
        return True

    def run(self, count):
        judge, server = Judge(), self.cluster.server
        found, missing = {}, {}
        for number in range(count):
            name, address = self.names[number % self.COUNT]
            old, new = ("n1", "n2") if number // self.COUNT % 2 == 0 else ("n2", "n1")
            begin = time.time_ns()
            server.ask("PATCH", f"{SLICES}/{name}",
                       {"endpoints": endpoints(name, [new])["endpoints"]}, MERGE)
            answered = time.time_ns()
            for what, key in (("ARP of the new owner", ("ARP", address, self.links[new])),
                              ("route withdrawn", ("withdrawn", address, self.ends[old])),
                              ("route announced", ("announced", address, self.ends[new]))):
                at = judge.wait(key, begin)
                if at is None:
                    missing[what] = missing.get(what, 0) + 1
                else:
                    found.setdefault(what, []).append((at - answered) / 1e6)
            time.sleep(0.05)
        for what, values in found.items():
            print(f"{self.present + self.COUNT:6} Services: {what:21} {spread(values)}; "
                  f"n {len(values)}, never {missing.get(what, 0)}; "
                  f"load {machine.load_average():.1f}", flush=True)
        for what in missing.keys() - found.keys():
            print(f"{'':17} {what}: never")

    def stop(self):
        self.ground.end(self.router.process)
        self.cluster.stop()


def measure_changes(options):
    print("== from an endpoint's change to the wire", flush=True)
    for present in (0,) if options.short else (0, 1000):
        with Ground() as ground:
            moves = Moves(ground, options, present)
            try:
                if moves.begin():
                    moves.run(40 if options.short else options.singles)
                else:
                    print("  not everything was announced within a minute")
            finally:
                moves.stop()


def measure_memory(options):
    print("== memory against an API server, Services × 10 endpoints, at rest")
    print("  Services  Nodes             RSS, MiB  private    clean  CPU of the start, s")
    sizes = ((10, 3), (1000, 3), (10000, 3), (1000, 1000))
    for services, nodes in sizes[:2] if options.short else sizes:
        with Ground() as ground:
            cluster = Cluster(ground, options.martlet, options.server)
            try:
                memory_of(cluster, services, nodes, 2 if options.short else 30)
            finally:
                cluster.stop()


def memory_of(cluster, services, nodes, rest):
    server = cluster.server
    cluster.announce()
    names = [f"s{number}" for number in range(services)]
    cluster.plug("n0")
    places = ["n0"] + [f"n{number}" for number in range(1, nodes)]
    server.make("/api/v1/nodes", [node(name, f"198.18.{100 + number // 250}.{number % 250 + 1}")
                                  for number, name in enumerate(places[1:])])
    addresses = Addresses(server)
    server.make(SERVICES, [service(name) for name in names])
    server.make(SLICES, [
        endpoints(name, [places[(10 * number + index) % nodes] for index in range(10)])
        for number, name in enumerate(names)])
    cluster.start_controller()
    cluster.start_speaker("n0")
    if not addresses.wait(names, 300):
        return print(f"{services:10}{nodes:7}  not all had addresses after 5 minutes")
    cluster.settle()
    time.sleep(rest)
    for name, process in (("controller", cluster.controller), ("speaker", cluster.speakers["n0"])):
        resident, private, clean = machine.memory(process)
        print(f"{services:10}{nodes:7}  {name:10}{resident:12.1f}{private:9.1f}{clean:9.1f}"
              f"{cluster.cpu(process):10.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet")
    parser.add_argument("--tools")
    parser.add_argument("--server")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--nightly", action="store_true")
    parser.add_argument("--singles", type=int, default=500)
    parser.add_argument("--only", choices=("addresses", "changes", "memory"))
    parser.add_argument("--echo", metavar="KUBECONFIG", help=argparse.SUPPRESS)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo:
        return echo(options.echo)
    if not options.inside and not os.path.isdir(options.server):
        # A network of its own.
        os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv, "--inside"])
    if options.only in (None, "addresses"):
        with Ground() as ground:
            measure_addresses(ground, options)
    if options.only in (None, "changes"):
        measure_changes(options)
    if options.only in (None, "memory"):
        measure_memory(options)


if __name__ == "__main__":
    main()
