"""A plain generator of rulesets: a rule a Service in one chain, and a rule an endpoint in a chain
of the Service's, all given to the nft tool as text."""

import resource
import subprocess
import time

from backing.node import ENDPOINT_PORT, PORT, balanced, endpoints


class Generator:
    def __init__(self, node, whole):
        self.node, self.whole, self.turns = node, whole, {}

    def begin(self, count):
        self.count, self.spent = count, 0
        begin = time.monotonic()
        self.apply(self.ruleset())
        return time.monotonic() - begin

    def apply(self, text):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.spent += after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def rules(self, number):
        first, second = endpoints(number, self.turns.get(number, 0))
        # The word of the mark says whom to masquerade.
        return (f"mark set 1 numgen random mod 2 0 ip protocol tcp dnat to {first}:{ENDPOINT_PORT}",
                f"mark set 1 ip protocol tcp dnat to {second}:{ENDPOINT_PORT}")

    def ruleset(self):
        lines = ["table ip plain", "delete table ip plain", "table ip plain {"]
        for number in range(self.count):
            lines += [f"chain s{number} {{", *self.rules(number), "}"]
        lines += ["chain services {", "type nat hook prerouting priority dstnat"]
        lines += [f"ip daddr {balanced(number)} tcp dport {PORT} jump s{number}"
                  for number in range(self.count)]
        lines += ["}", "chain leaving {", "type nat hook postrouting priority srcnat",
                  "mark 1 masquerade", "}", "}"]
        return "\n".join(lines)

    def change(self, number):
        number = number * 7919 % self.count
        self.turns[number] = self.turns.get(number, 0) + 1
        begin = time.monotonic()
        if self.whole:
            self.apply(self.ruleset())
        else:
            self.apply("\n".join([f"flush chain ip plain s{number}"] + [
                f"add rule ip plain s{number} {rule}" for rule in self.rules(number)]))
        return time.monotonic() - begin

    def cpu(self):
        return self.spent

    def settle(self):
        pass

    def memory(self):
        return None

    def succeed(self):
        return None

    def end(self):
        self.node.flush()
