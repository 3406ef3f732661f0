"""Tables of what was measured, and what in it should not be."""

from dataclasses import asdict

from race.trials import summary

# Milliseconds for which two answered: the old owner never stopped.
LONG_OVERLAP = 500

HEAD = (f"{'':11}{'':4}{'who':18}{'runs':>5}  {'asked gap, ms':>22}  {'served gap, ms':>22}"
        f"{'lost':>6}{'two at once':>13}{'after: to one':>15}{'ratio':>8}")


def figures(values, form="{:.1f}"):
    return " / ".join(form.format(value) for value in summary(values))


def row(block, blocks):
    """Median / 95th percentile / worst; the ratio of medians is ours to the yardstick's."""
    median = summary(block.column("asked_gap"))[0]
    ours = next((summary(other.column("asked_gap"))[0] for other in blocks
                 if other.who == "martlet" and other is not block
                 and (other.scenario, other.family) == (block.scenario, block.family)), None)
    # Where the old owner goes on answering there is no gap to compare with.
    is_alone = max(block.column("overlap")) < LONG_OVERLAP
    ratio = f"{ours / median:.3f}" if ours and median and is_alone else ""
    return (f"{block.scenario:11}v{block.family:<3}{block.who:18}{len(block.valid):>5}"
            f"  {figures(block.column('asked_gap')):>22}"
            f"  {figures(block.column('served_gap')):>22}"
            f"{max(block.column('lost')):>6}{max(block.column('overlap')):>10.1f} ms"
            f"{max(block.column('until_single')):>12.1f} ms{ratio:>8}")


def print_probers(blocks):
    print("\nThe probers' own lateness (ms), and the load average while they ran")
    for block in blocks:
        train = block.prober["train"]
        print(f"  {block.scenario:11}v{block.family} {block.who:18}"
              f" p50 {train.get('late_p50', 0):.3f}  p99 {train.get('late_p99', 0):.3f}"
              f"  worst {train.get('late_max', 0):.3f}  hole {train['hole']:.2f}"
              f"  load {block.load[0]:.2f}–{block.load[1]:.2f}")


def unlike(blocks):
    """What should not be, in words: more than one new answerer, answers after the handover."""
    for block in blocks:
        for number, trial in enumerate(block.trials):
            place = f"{block.scenario} v{block.family}, {block.who}, run {number + 1}"
            others = [name for name in trial.answerers if name != trial.owner]
            if trial.is_disturbed:
                yield f"{place}: left out, the machine stood still for {trial.hole:.0f} ms"
                continue
            if not others:
                yield f"{place}: nobody took over"
            if len(others) > 1:
                yield f"{place}: more than one took over: {', '.join(others)}"
            if trial.changes_after and block.scenario in ("kill -9", "SIGTERM", "drain"):
                yield f"{place}: the answerer changed {trial.changes_after} times afterwards"
            if trial.lost_after:
                yield (f"{place}: {trial.lost_after} probes lost afterwards,"
                       f" longest gap {trial.served_gap_after:.0f} ms")


def plain(blocks):
    return [asdict(block) for block in blocks]
