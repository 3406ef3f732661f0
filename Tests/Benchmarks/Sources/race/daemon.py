"""The daemon as users run it, from a folder of manifests."""

import os
import time

from race.senders import Sender
from race.wire import RECEIVER_AS, SENDER_AS

CONFIGURATION = """apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: {{name: main}}
spec: {{addresses: [198.18.0.0/15]}}
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: {{name: all}}
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: {{name: receiver}}
spec: {{myASN: {own}, peerASN: {other}, peerAddress: {there}}}
---
apiVersion: v1
kind: Node
metadata: {{name: n1}}
status: {{addresses: [{{type: InternalIP, address: {here}}}]}}
---
apiVersion: v1
kind: Node
metadata: {{name: n2}}
status: {{addresses: [{{type: InternalIP, address: 203.0.113.9}}]}}
"""

SERVICE = """---
apiVersion: v1
kind: Service
metadata: {{name: s{0}, namespace: default}}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  loadBalancerIP: {1}
  ports: [{{port: 80, targetPort: 8080}}]
"""

ENDPOINTS = """---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: s{0}, namespace: default, labels: {{kubernetes.io/service-name: s{0}}}}}
addressType: IPv4
ports: [{{port: 8080}}]
endpoints: [{{addresses: [203.0.113.1], nodeName: {1}}}]
"""


class Daemon(Sender):
    def __init__(self, wires, name, executable):
        super().__init__(wires, name)
        self.executable = executable

    def start(self, count, singles):
        """`count` Services; the endpoints of the first `singles` are in files of their own."""
        os.makedirs(self.path("manifests"))
        os.makedirs(self.path("state"))
        with open(os.path.join(self.path("manifests"), "base.yaml"), "w") as file:
            file.write(CONFIGURATION.format(own=SENDER_AS, other=RECEIVER_AS, there=self.there,
                                            here=self.here))
            for number in range(count):
                address = f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}"
                file.write(SERVICE.format(number, address))
                if number >= singles:
                    file.write(ENDPOINTS.format(number, "n1"))
        for number in range(singles):
            self.place(number, "n1")
        self.spawn(self.executable, "run", "--manifests", self.path("manifests"),
                   "--state", self.path("state"), "--node", "n1", "--interface", "eth0",
                   "--admin", self.path("admin.sock"), "--log-level", "notice")

    def place(self, number, node):
        """Moves the endpoint of a Service to a node; returns the time at which the file came."""
        draft = self.path("draft")
        with open(draft, "w") as file:
            file.write(ENDPOINTS.format(number, node)[4:])
        ordered = time.time_ns()
        os.rename(draft, os.path.join(self.path("manifests"), f"s{number}.yaml"))
        return ordered
