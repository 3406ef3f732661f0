"""Measures the daemon as a user runs it: answers, memory and CPU at rest, start, and link changes.

Called by Tests/Benchmarks/run.sh. Each yardstick runs in the same namespaces right before or after
the daemon. Prints medians; the ratio is ours divided by the yardstick's.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from machine import cpu_seconds, memory, run

POOL = """apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: lan}
spec:
  addresses: [198.18.0.0-198.18.255.255, "2001:db8::1:0-2001:db8::1:ffff"]
  conflictDetection: {0}
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: {name: lan}
"""

SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{0}, namespace: default}}
spec:
  type: LoadBalancer
  ipFamilyPolicy: RequireDualStack
  ipFamilies: [IPv4, IPv6]
  ports: [{{port: 80, targetPort: 8080}}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{0}, namespace: default, labels: {{kubernetes.io/service-name: s{0}}}}}
addressType: IPv4
ports: [{{port: 8080}}]
endpoints: [{{addresses: [192.0.2.{1}]}}]
"""


class LAN:
    """Two namespaces and a wire: the node and the client that asks."""

    def __init__(self):
        name = f"mtbench{os.getpid()}"
        self.node, self.client = name + "-node", name + "-client"
        self.folder = tempfile.mkdtemp(suffix="-martlet-bench")
        self.process = None

    def __enter__(self):
        try:
            for space in (self.node, self.client):
                run("ip", "netns", "add", space)
                run("ip", "-n", space, "link", "set", "lo", "up")
            self.plug()
        except Exception:
            self.__exit__()
            raise
        return self

    def plug(self):
        run("ip", "link", "add", "n0", "netns", self.node, "type", "veth",
            "peer", "name", "c0", "netns", self.client)
        for space, device, host in ((self.node, "n0", 2), (self.client, "c0", 1)):
            run("ip", "-n", space, "link", "set", device, "up")
            run("ip", "-n", space, "addr", "add", f"198.19.0.{host}/15", "dev", device)
            run("ip", "-n", space, "addr", "add", f"2001:db8::ff:{host}/64", "dev", device, "nodad")

    def __exit__(self, *_):
        self.stop()
        for space in (self.node, self.client):
            run("ip", "netns", "del", space, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, *command):
        log = open(os.path.join(self.folder, "log"), "w")
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.node, *command], stdout=log, stderr=log)
        log.close()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    def martlet(self, executable, count, probes="true"):
        manifests, state = (os.path.join(self.folder, part) for part in ("manifests", "state"))
        for path in (manifests, state):
            shutil.rmtree(path, ignore_errors=True)
            os.mkdir(path)
        with open(os.path.join(manifests, "all.yaml"), "w") as file:
            file.write(POOL.replace("{0}", probes))
            for index in range(count):
                file.write(SERVICE.format(index, index % 250 + 1))
        begin = time.monotonic()
        self.start(executable, "run", "--manifests", manifests, "--state", state, "--node", "n1",
                   "--interface", "n0", "--admin", os.path.join(self.folder, "admin.sock"),
                   "--log-level", "error")
        return begin


def ask(lan, tool, mode, count, window, seconds, last=False):
    text = run("ip", "netns", "exec", lan.client, tool, "c0", mode, str(count), str(window),
               str(seconds), check=False)
    found = dict(re.findall(r"(\w+)=([0-9.]+)", text))
    if last:
        return int(found.get("answers", 0)) >= count and int(found.get("lost", 1)) == 0
    return found


def answers(options, lan):
    load = os.path.join(options.tools, "ARPLoad")
    seconds = 0.5 if options.short else 1.5
    print("\n== answers: p50 and p99 in µs with one question outstanding, rate with 64")
    print(f"{'':6}{'addresses':>10}{'who':>10}{'p50':>8}{'p99':>8}{'answers/s':>12}")
    for count in (1, 1000, 10000):
        rows = {}
        for _ in range(options.rounds):
            for who in ("C", "martlet", "kernel"):
                begin(options, lan, who, count)
                settle = time.monotonic() + 30
                while time.monotonic() < settle:
                    if all(int(ask(lan, load, mode, count, 64, 0.3).get("lost", 1)) == 0
                           for mode in ("arp", "ns")):
                        break
                    if who == "kernel":
                        break
                for mode in ("arp", "ns"):
                    one = ask(lan, load, mode, count, 1, seconds)
                    many = ask(lan, load, mode, count, 64, seconds)
                    rows.setdefault((mode, who), []).append(
                        [float(one.get("p50", "nan")), float(one.get("p99", "nan")),
                         float(many.get("rate", "nan"))])
                end(lan, who)
        for mode in ("arp", "ns"):
            middle = {who: [statistics.median(column) for column in zip(*rows[mode, who])]
                      for who in ("C", "martlet", "kernel")}
            for who in ("C", "martlet", "kernel"):
                p50, p99, rate = middle[who]
                print(f"{mode:6}{count:>10}{who:>10}{p50:>8.1f}{p99:>8.1f}{rate:>12,.0f}")
            ratio = [ours / c for ours, c in zip(middle["martlet"], middle["C"])]
            print(f"{mode:6}{count:>10}{'ratio':>10}{ratio[0]:>8.2f}{ratio[1]:>8.2f}"
                  f"{ratio[2]:>12.2f}")


def begin(options, lan, who, count):
    if who == "C":
        lan.start(os.path.join(options.tools, "CResponder"), "n0", str(count))
        time.sleep(0.3)
    elif who == "martlet":
        lan.martlet(options.martlet, count, probes="false")
        # Until its opening announcements are over: the others have none.
        time.sleep(2 + 12 * count / 10000)
    else:
        batch = os.path.join(lan.folder, "batch")
        with open(batch, "w") as file:
            for index in range(count):
                file.write(f"addr add 198.18.{index >> 8}.{index & 255}/32 dev n0\n")
                file.write(f"addr add 2001:db8::1:{index:x}/128 dev n0 nodad\n")
        run("ip", "-n", lan.node, "-batch", batch)
        time.sleep(0.5)


def end(lan, who):
    lan.stop()
    if who == "kernel":
        run("ip", "-n", lan.node, "link", "del", "n0")
        lan.plug()


def at_rest(options, lan):
    seconds = 10 if options.short else 60
    print(f"\n== at rest, over {seconds} s (MiB; private clean is code of the program itself)")
    print(f"{'Services':>10}{'RSS':>8}{'private':>9}{'clean':>8}{'CPU':>9}{'CPU of start':>14}")
    for count in (10, 1000, 10000):
        lan.martlet(options.martlet, count)
        # Until everything is announced four times and the memory of the start is given back.
        time.sleep(8 + 12 * count / 10000)
        before = cpu_seconds(lan.process)
        time.sleep(seconds)
        spent = (cpu_seconds(lan.process) - before) / seconds
        rss, dirty, clean = memory(lan.process)
        print(f"{count:>10}{rss:>8.1f}{dirty:>9.1f}{clean:>8.1f}{spent:>9.2%}"
              f"{before:>12.2f} s")
        lan.stop()


def to_first_answer(options, lan):
    load = os.path.join(options.tools, "ARPLoad")
    print("\n== from the start of the process to the first ARP answer, and until all are answered")
    for count in (10, 10000):
        first, every = [], []
        for _ in range(options.rounds):
            start = lan.martlet(options.martlet, count)
            while not ask(lan, load, "arp", 1, 1, 0.01, last=True):
                if time.monotonic() - start > 60:
                    sys.exit("no answer within a minute")
            first.append(time.monotonic() - start)
            while int(ask(lan, load, "arp", count, 64, max(0.02, count / 1e5)).get("lost", 1)):
                if time.monotonic() - start > 60:
                    sys.exit("not every address was answered within a minute")
            every.append(time.monotonic() - start)
            lan.stop()
        print(f"{count:>10} Services: {statistics.median(first) * 1000:.0f} ms to the first, "
              f"{statistics.median(every) * 1000:.0f} ms to all")


def edit(options, lan):
    load = os.path.join(options.tools, "ARPLoad")
    print("\n== from an edit of a manifest to the first answer for the new Service")
    for count in (9, 9999):
        times = []
        for _ in range(options.rounds):
            lan.martlet(options.martlet, count)
            time.sleep(2 + count / 2500)
            draft = os.path.join(lan.folder, "draft")
            with open(draft, "w") as file:
                file.write(SERVICE.format("new", 7)[4:])
            start = time.monotonic()
            os.rename(draft, os.path.join(lan.folder, "manifests", "new.yaml"))
            wanted = f"198.18.{count >> 8}.{count & 255}"
            while wanted not in arping(lan, wanted):
                if time.monotonic() - start > 30:
                    sys.exit("the new Service was not answered")
            times.append(time.monotonic() - start)
            lan.stop()
        print(f"{count + 1:>10} Services: {statistics.median(times) * 1000:.0f} ms "
              "(the asking itself takes some 10 ms)")


def arping(lan, address):
    run("ip", "-n", lan.client, "neigh", "flush", "dev", "c0", check=False)
    text = run("ip", "netns", "exec", lan.client, "arping", "-c", "1", "-w", "0.02", "-i", "c0",
               address, check=False)
    return address if re.search(r"(?i)([0-9a-f]{2}:){5}[0-9a-f]{2}", text) else ""


def link_flap(options, lan):
    print("\n== from link up to the first announcement")
    lan.martlet(options.martlet, 10)
    time.sleep(3)
    times = []
    for _ in range(max(3, options.rounds)):
        capture = subprocess.Popen(
            ["ip", "netns", "exec", lan.client, "tcpdump", "-tt", "-lni", "c0", "arp"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        time.sleep(0.5)
        run("ip", "-n", lan.node, "link", "set", "n0", "down")
        time.sleep(0.5)
        up = time.time()
        run("ip", "-n", lan.node, "link", "set", "n0", "up")
        os.set_blocking(capture.stdout.fileno(), True)
        for line in capture.stdout:
            stamp = float(line.split()[0])
            if stamp > up and "198.18.0." in line:
                times.append(stamp - up)
                break
        capture.terminate()
        capture.wait()
    lan.stop()
    print(f"        median {statistics.median(times) * 1000:.0f} ms, "
          f"worst {max(times) * 1000:.0f} ms of {len(times)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--martlet", required=True)
    parser.add_argument("--tools", required=True)
    parser.add_argument("--short", action="store_true")
    options = parser.parse_args()
    options.rounds = 1 if options.short else 5
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for part in (answers, to_first_answer, edit, link_flap, at_rest):
        with LAN() as lan:
            part(options, lan)


main()
