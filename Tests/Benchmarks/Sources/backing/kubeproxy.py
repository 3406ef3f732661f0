"""kube-proxy in mode nftables, at the scripted API server in the node's own namespace."""

import os
import subprocess
import sys
import time

import machine
from apiserver.client import BENCH, MERGE, SERVICES, SLICES, Server
from backing.node import ENDPOINT_PORT, PORT, Generations, endpoints, inside
from race.wire import settle

CONFIGURATION = """apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
hostnameOverride: n1
bindAddress: 192.0.2.1
clusterCIDR: 198.19.0.0/16
detectLocalMode: ClusterCIDR
clientConnection:
  kubeconfig: {0}
  contentType: application/json
  acceptContentTypes: application/json
conntrack: {{maxPerCore: 0, min: 0}}
nftables: {{minSyncPeriod: 1ms}}
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
"""


class KubeProxy:
    def __init__(self, node, executable, server):
        self.node, self.executable = node, executable
        self.generations, self.turn = Generations(), 0
        kubeconfig = node.path("kubeconfig")
        with open(node.path("proxy.yaml"), "w") as file:
            file.write(CONFIGURATION.format(kubeconfig))
        self.api = node.start(server, "--listen", "127.0.0.1:0", "--kubeconfig-out", kubeconfig,
                              stdout=subprocess.PIPE, text=True)
        if not self.api.stdout.readline():
            sys.exit("the scripted API server did not start")
        self.server = Server(kubeconfig)

    def slice(self, number, turn=0):
        name = f"s{number}"
        return {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
                "metadata": {"name": name, "labels": {"kubernetes.io/service-name": name}},
                "addressType": "IPv4", "ports": [{"name": "", "port": ENDPOINT_PORT,
                                                  "protocol": "TCP"}],
                "endpoints": [{"addresses": [address], "nodeName": "n1",
                               "conditions": {"ready": True, "serving": True,
                                              "terminating": False}}
                              for address in endpoints(number, turn)]}

    def begin(self, count):
        self.count = count
        self.server.ask("POST", "/api/v1/namespaces", {
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": BENCH}})
        self.server.ask("POST", "/api/v1/nodes", {
            "apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"},
            "status": {"addresses": [{"type": "InternalIP", "address": "192.0.2.1"}]}})
        self.server.make(SERVICES, [{
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": f"s{number}"},
            "spec": {"type": "ClusterIP", "clusterIP": inside(number),
                     "clusterIPs": [inside(number)], "ipFamilies": ["IPv4"],
                     "ipFamilyPolicy": "SingleStack", "internalTrafficPolicy": "Cluster",
                     "sessionAffinity": "None",
                     "ports": [{"port": PORT, "targetPort": ENDPOINT_PORT, "protocol": "TCP"}]}}
            for number in range(count)])
        self.server.make(SLICES, [self.slice(number) for number in range(count)])
        before, begin = self.generations.number(), time.monotonic()
        self.process = self.node.start(
            self.executable, "--config", self.node.path("proxy.yaml"), log="kube-proxy.log")
        # Its rules come some time after its first tables.
        end = self.generations.wait_for_rest(before, 15 if count > 1000 else 4)
        rules = machine.run("nft", "list", "map", "ip", "kube-proxy", "service-ips")
        if rules.count(" . tcp . ") < count:
            sys.exit(f"kube-proxy has {rules.count(' . tcp . ')} entrances")
        self.generations.listen()
        return end - begin

    def change(self, number):
        """From the server's answer until the end of its next transaction."""
        number = number * 7919 % self.count
        self.turn += 1
        self.generations.forget()
        self.server.ask("PATCH", f"{SLICES}/s{number}",
                        {"endpoints": self.slice(number, self.turn)["endpoints"]}, MERGE)
        begin = time.monotonic()
        return self.generations.hear() - begin

    def cpu(self):
        """With that of nft, which it starts for every change."""
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        settle([self.process])

    def memory(self):
        return machine.memory(self.process)

    def succeed(self):
        return None

    def end(self):
        self.generations.stop_listening()
        self.node.end(self.process)
        self.node.end(self.api, 9)
        self.node.flush()
