"""What three nodes with ten Services cost while nothing happens."""

import json
import time

from machine import cpu_seconds, load_average, memory
from race.lan import GOSSIP_PORT, NODES
from race.rivals import Keepalived, intervals
from race.speakers import Martlet

# What belongs to the group of speakers: gossip, or VRRP (protocol 112).
TALLY = f"""
table inet tally {{
    counter sent {{ }}
    counter received {{ }}
    chain out {{
        type filter hook output priority 0;
        udp dport {GOSSIP_PORT} counter name sent
        meta l4proto 112 counter name sent
    }}
    chain in {{
        type filter hook input priority 0;
        udp dport {GOSSIP_PORT} counter name received
        meta l4proto 112 counter name received
    }}
}}
"""


def at_rest(lan, options):
    seconds = 10 if options.short else 60
    print(f"\n== at rest, 3 nodes, 10 Services (keepalived: 2 addresses), over {seconds} s,"
          " a node's share")
    print(f"{'':18}{'CPU':>8}{'RSS MiB':>9}{'sent/s':>9}{'bytes/s':>9}{'received/s':>12}"
          f"{'bytes/s':>9}{'load':>7}")
    for node in NODES:
        lan.nft(node, TALLY)
    results = {}
    for group in (Martlet(lan, options.martlet, 10),
                  *(Keepalived(lan, interval) for interval in intervals(options))):
        try:
            group.start()
            # Until the memory of the start is given back and the opening bursts are over.
            time.sleep(3 if options.short else 10)
            results[group.name] = measure(lan, group, seconds)
        except RuntimeError as error:
            print(f"  {group.name}: {error}")
        finally:
            group.stop()
    for node in NODES:
        lan.nft(node, "delete table inet tally")
    return results


def measure(lan, group, seconds):
    before = {node: (group.cpu(node), tally(lan, node)) for node in NODES}
    begin = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - begin
    rows = []
    for node in NODES:
        cpu, counted = before[node]
        now = tally(lan, node)
        rows.append([(group.cpu(node) - cpu) / passed, group.resident(node),
                     *((after - first) / passed for first, after in zip(counted, now))])
    mean = [sum(column) / len(rows) for column in zip(*rows)]
    print(f"{group.name:18}{mean[0]:>8.2%}{mean[1]:>9.1f}{mean[2]:>9.1f}{mean[3]:>9.0f}"
          f"{mean[4]:>12.1f}{mean[5]:>9.0f}{load_average():>7.2f}")
    return dict(zip(("cpu", "rss", "sent", "sent bytes", "received", "received bytes"), mean))


def tally(lan, node):
    """Packets and bytes sent, then received."""
    text = lan.inside(node, "nft", "-j", "list", "counters", "table", "inet", "tally")
    found = {part["counter"]["name"]: part["counter"]
             for part in json.loads(text)["nftables"] if "counter" in part}
    return [found[name][unit] for name in ("sent", "received") for unit in ("packets", "bytes")]
