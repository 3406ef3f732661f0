"""What befalls the owner, and what puts it right again."""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Scenario:
    name: str
    strike: Callable
    mend: Callable
    # Seconds that are watched after the takeover.
    watching: float = 0.3
    # Of the rounds asked for, one in so many.
    one_in: int = 1


def restart(lan, group, node):
    group.restart(node)


def heal(lan, group, node):
    lan.heal()
    group.settle()


KILL = Scenario("kill -9", lambda lan, group, node: group.kill(node), restart)

# In the switch: the node's own link stays up, as behind a switch that fails. Were its interface
# taken down, the node would be told, and the heal would begin with a link-up.
CUT = Scenario("cut off", lambda lan, group, node: lan.fault("apart", node), heal)

# The owner and the client are cut off together: each half has someone who asks.
HALVES = Scenario(
    "LAN halved", lambda lan, group, node: lan.fault("apart", node, "client"), heal, watching=2.0,
    one_in=4)

ONE_WAY = [
    Scenario(name, lambda lan, group, node, fault=fault: lan.fault(fault, node), heal,
             watching=1.0, one_in=4)
    for name, fault in (("not heard", "mute"), ("hears not", "deaf"))]

STOP = Scenario("SIGTERM", lambda lan, group, node: group.terminate(node), restart, watching=1.5)

DRAIN = Scenario("drain", lambda lan, group, node: group.drain(node),
                 lambda lan, group, node: group.undrain(node), watching=1.0)


def resume(lan, group, node):
    group.resume(node)
    group.settle()


# What it answers after it continues shows as two answerers.
PAUSE = Scenario("SIGSTOP", lambda lan, group, node: group.pause(node), resume, watching=1.0,
                 one_in=2)
