"""One block of trials: the same fault again and again, always to whoever owns the address."""

import statistics
import time
from dataclasses import dataclass, field

from machine import load_average
from race.judge import Watch
from race.lan import until

PATIENCE = 10.0
# Milliseconds between two probes, which are 2 ms apart, before a trial says nothing.
LONGEST_HOLE = 10.0


@dataclass
class Trial:
    """Times in milliseconds. *asked*: a host that asks anew each time. *served*: the client."""

    owner: str
    asked_gap: float = 0
    served_gap: float = 0
    lost: int = 0
    overlap: float = 0
    answerers: list = field(default_factory=list)
    # After the fault is mended or the node is back.
    until_single: float = 0
    changes_after: int = 0
    lost_after: int = 0
    served_gap_after: float = 0
    # The longest pause between two probes from the fault to the takeover.
    hole: float = 0

    @property
    def is_disturbed(self):
        """The prober runs ahead of everything else: when it stood still, so did the machine."""
        return self.hole > LONGEST_HOLE


@dataclass
class Block:
    scenario: str
    who: str
    family: int
    trials: list
    prober: dict
    load: tuple

    @property
    def valid(self):
        """The trials that count; all, when the machine left none undisturbed."""
        return [trial for trial in self.trials if not trial.is_disturbed] or self.trials

    def column(self, name):
        return [getattr(trial, name) for trial in self.valid]


def race(lan, group, tools, scenario, rounds, family=4, pause=0.5):
    """Runs the trials of one scenario with one group of speakers."""
    load = [load_average()]
    watch = None
    windows = []
    try:
        group.start()
        watch = Watch(lan, tools, group.address(family))
        if not until(PATIENCE, lambda: watch.owner()):
            raise RuntimeError(f"{group.name}: nobody answers for {group.address(family)}")
        time.sleep(pause)
        for _ in range(rounds):
            windows.append(trial(lan, group, watch, scenario, pause))
            load.append(load_average())
        finish = time.time()
    finally:
        record = watch.stop() if watch else None
        lan.heal()
        group.stop()
    starts = [window[1] for window in windows[1:]] + [finish]
    trials = [judged(record, *window, following)
              for window, following in zip(windows, starts)]
    return Block(scenario.name, group.name, family, trials,
                 {"train": record.train.totals, "asker": record.asker}, (min(load), max(load)))


def trial(lan, group, watch, scenario, pause):
    owner = watch.owner(within=2)
    if owner is None:
        raise RuntimeError(f"{group.name}: nobody answers before {scenario.name}")
    begin = time.time()
    scenario.strike(lan, group, owner)
    until(PATIENCE, lambda: watch.answered_by_another(owner, begin))
    # Long enough to see the old owner go on answering, where it may.
    time.sleep(scenario.watching)
    end = time.time()
    scenario.mend(lan, group, owner)
    time.sleep(pause)
    return owner, begin, end


def judged(record, owner, begin, end, following):
    train = record.train
    mended = (end, following - 0.02)
    return Trial(
        owner=owner,
        asked_gap=1000 * record.asked_gap(begin, end),
        served_gap=1000 * train.gap(begin, end),
        lost=train.lost(begin, end),
        overlap=1000 * record.overlap(begin - 0.1, end),
        answerers=record.answerers(begin - 0.1, end),
        until_single=1000 * (record.until_single(*mended) or 0),
        changes_after=record.changes(*mended),
        lost_after=train.lost(*mended),
        served_gap_after=1000 * train.gap(*mended),
        hole=1000 * train.hole(begin, end))


def summary(values):
    """Median, 95th percentile (nearest rank) and worst."""
    ordered = sorted(values)
    rank = max(0, -(-95 * len(ordered) // 100) - 1)
    return statistics.median(ordered), ordered[rank], ordered[-1]
