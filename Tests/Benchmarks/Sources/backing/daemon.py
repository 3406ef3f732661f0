"""`martlet run` on a folder of manifests."""

import os
import shutil
import signal
import sys
import time

import machine
from backing.node import ENDPOINT_PORT, PORT, Generations, balanced, endpoints, inside
from race.wire import cpu, settle

CONFIGURATION = """apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {name: main}
spec: {addresses: [198.18.0.0/17], conflictDetection: false}
---
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 192.0.2.1}]}
"""

SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{0}, namespace: default}}
spec:
  type: LoadBalancer
  clusterIP: {1}
  loadBalancerIP: {2}
  ports:
  - {{name: stream, port: {3}, targetPort: {4}}}
"""

DATAGRAMS = "  - {{name: datagrams, port: {0}, protocol: UDP, targetPort: {1}}}\n"

SLICE = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{0}, namespace: default, labels: {{kubernetes.io/service-name: s{0}}}}}
addressType: IPv4
ports: [{{name: stream, port: {3}}}, {{name: datagrams, protocol: UDP, port: {3}}}]
endpoints: [{{addresses: [{1}], nodeName: n1}}, {{addresses: [{2}], nodeName: n1}}]
"""


class Martlet:
    # So many Services have their endpoints in files of their own.
    SINGLES = 200

    def __init__(self, node, executable, counters="connections", rest=12):
        self.node, self.executable, self.counters, self.rest = node, executable, counters, rest
        self.generations, self.turn, self.process = Generations(), 0, None

    def begin(self, count):
        """Returns after how many seconds the kernel has all."""
        self.count = count
        for part in ("manifests", "state"):
            shutil.rmtree(self.node.path(part), ignore_errors=True)
            os.mkdir(self.node.path(part))
        with open(self.node.path("manifests", "all.yaml"), "w") as file:
            file.write(CONFIGURATION)
            for number in range(count):
                file.write(SERVICE.format(number, inside(number), balanced(number), PORT,
                                          ENDPOINT_PORT))
                if number == count - 1:
                    file.write(DATAGRAMS.format(PORT, ENDPOINT_PORT))
                if number >= self.SINGLES:
                    file.write(self.slice(number))
        for number in range(min(count, self.SINGLES)):
            with open(self.node.path("manifests", f"s{number}.yaml"), "w") as file:
                file.write(self.slice(number))
        before, begin = self.generations.number(), time.monotonic()
        self.start()
        end = self.generations.wait_for_rest(before, 1)
        entrances = machine.run("nft", "list", "map", "inet", "martlet", "frontends4")
        if entrances.count(" . tcp . ") != 2 * count:
            sys.exit(f"the kernel has {entrances.count(' . tcp . ')} entrances, not {2 * count}")
        self.generations.listen()
        return end - begin

    def start(self):
        self.process = self.node.start(
            self.executable, "run", "--manifests", self.node.path("manifests"),
            "--state", self.node.path("state"), "--node", "n1", "--interface", "client0",
            "--admin", self.node.path("admin.sock"), "--log-level", "error",
            "--dataplane", "nftables", "--dataplane-counters", self.counters)

    @staticmethod
    def slice(number, turn=0):
        return SLICE.format(number, *endpoints(number, turn), ENDPOINT_PORT)

    def place(self, number):
        """Another endpoint for a Service; returns when the file was there."""
        number %= min(self.count, self.SINGLES)
        self.turn += 1
        with open(self.node.path("draft"), "w") as file:
            file.write(self.slice(number, self.turn))
        begin = time.monotonic()
        os.rename(self.node.path("draft"), self.node.path("manifests", f"s{number}.yaml"))
        return begin

    def change(self, number):
        self.generations.forget()
        begin = self.place(number)
        return self.generations.hear() - begin

    def cpu(self):
        return cpu([self.process])

    def settle(self):
        settle([self.process])

    def memory(self):
        """After the rest in which what a burst of work needed is given back."""
        time.sleep(self.rest)
        return machine.memory(self.process)

    def succeed(self):
        """Seconds until the next process after a kill has caught up with what changed meanwhile."""
        self.node.end(self.process, signal.SIGKILL)
        self.generations.stop_listening()
        self.place(0)
        before, begin = self.generations.number(), time.monotonic()
        self.start()
        return self.generations.wait_for_more(before)[1] - begin

    def end(self):
        self.generations.stop_listening()
        self.node.end(self.process)
        self.node.flush()
