"""keepalived as the yardstick: VRRPv3 on three nodes, one virtual router for each family."""

import os
import signal
import time
from types import SimpleNamespace

from machine import cpu_seconds, memory
from race.lan import NODES, until

PRIORITIES = dict(zip(NODES, (150, 140, 130)))
ADDRESSES = {4: "198.18.200.1", 6: "2001:db8::2:1"}

# RFC 9568 section 5.2.9: the first address of an IPv6 router is a link-local one.
LINK_LOCAL = "fe80::5e:6/64"

def intervals(options):
    """Seconds between adverts; the short pass takes the setting that operators take."""
    return (0.1,) if options.short else (1.0, 0.1, 0.01)


GLOBAL = """global_defs {{
    router_id {node}
    vrrp_version 3
    script_user root
}}
"""

# `nopreempt`, as an operator sets it who does not want addresses to move back.
ROUTER = """vrrp_instance v{family} {{
    state BACKUP
    nopreempt
    interface eth0
    virtual_router_id {router}
    priority {priority}
    advert_int {interval}
    {native}
    virtual_ipaddress {{
        {address}
    }}
}}
"""


class Keepalived:
    def __init__(self, lan, interval):
        self.lan, self.interval = lan, interval
        self.name = f"keepalived {interval:g} s"
        self.settling = 2 * interval + 0.5
        self.daemons = {}

    def address(self, family):
        return ADDRESSES[family]

    def start(self):
        # The first alone, so that who is master does not depend on who was started first.
        for node in NODES:
            self.start_one(node)
            time.sleep(0.1)
        time.sleep(4 * self.interval + 0.5)

    def start_one(self, node):
        place = self.lan.path(f"keepalived-{node}")
        os.makedirs(place, exist_ok=True)
        with open(os.path.join(place, "conf"), "w") as file:
            file.write(GLOBAL.format(node=node))
            for family, address in ADDRESSES.items():
                shown = (f"{address}/15" if family == 4 else
                         f"{LINK_LOCAL}\n        {address}/64")
                file.write(ROUTER.format(
                    family=family, router=50 + family, priority=PRIORITIES[node],
                    interval=f"{self.interval:g}", address=shown,
                    native="native_ipv6" if family == 6 else ""))
        for name in ("pid", "vrrp"):
            if os.path.exists(os.path.join(place, name)):
                os.unlink(os.path.join(place, name))
        self.daemons[node] = self.lan.start(
            node, "keepalived", "--dont-fork", "--log-console", "--vrrp",
            "-f", os.path.join(place, "conf"), "-p", os.path.join(place, "pid"),
            "-r", os.path.join(place, "vrrp"), log=f"keepalived-{node}.log")
        until(5, lambda: self.children(node))

    def children(self, node):
        process = self.daemons[node].pid
        try:
            with open(f"/proc/{process}/task/{process}/children") as file:
                return [int(child) for child in file.read().split()]
        except FileNotFoundError:
            return []

    def cpu(self, node):
        return sum(cpu_seconds(process) for process in self.processes(node))

    def resident(self, node):
        return sum(memory(process)[0] for process in self.processes(node))

    def processes(self, node):
        children = [SimpleNamespace(pid=child) for child in self.children(node)]
        return [self.daemons[node], *children]

    def kill(self, node):
        """All of its processes, and its addresses: the kernel would go on answering for them."""
        parent, children = self.daemons[node].pid, self.children(node)
        # A parent that runs would start the child anew, and one that is gone first has its
        # child say goodbye.
        os.kill(parent, signal.SIGSTOP)
        for process in (*children, parent):
            os.kill(process, signal.SIGKILL)
        self.remove_addresses(node)

    def remove_addresses(self, node):
        for address in (f"{ADDRESSES[4]}/15", f"{ADDRESSES[6]}/64", LINK_LOCAL):
            self.lan.inside(node, "ip", "addr", "del", address, "dev", "eth0", check=False)

    def terminate(self, node):
        os.kill(self.daemons[node].pid, signal.SIGTERM)

    def pause(self, node):
        for process in self.processes(node):
            os.kill(process.pid, signal.SIGSTOP)

    def resume(self, node):
        for process in self.processes(node):
            os.kill(process.pid, signal.SIGCONT)

    def restart(self, node):
        self.lan.end(self.daemons[node])
        self.remove_addresses(node)
        self.start_one(node)
        self.settle()

    def settle(self):
        time.sleep(self.settling)

    def stop(self):
        for process in self.daemons.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for node, process in self.daemons.items():
            self.lan.end(process)
            self.remove_addresses(node)
        self.daemons = {}
