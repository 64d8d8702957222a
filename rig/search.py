# SPDX-License-Identifier: BSD-2-Clause
"""The highest rate without loss: pure search over trials that pass or fail."""
import dataclasses


@dataclasses.dataclass
class Found:
    rate_pps: int    # highest rate that held; 0: none did
    trials: list     # (rate, passed) in order


def highest_loss_free(trial, low_pps, high_pps, precision=0.06, tries=2, passes=1):
    """Binary search between `low_pps` and `high_pps` until the bounds are within `precision`.

    `trial(rate_pps)` is true when nothing was lost. A rate holds when `passes` of its trials
    pass before `tries` fail: a stall of the host is not the machine's fault, so one failure is
    forgiven. The rate that is returned has itself been tried and has passed.
    """
    trials = []

    def holds(rate_pps):
        good = bad = 0
        while good < passes and bad < tries:
            passed = bool(trial(rate_pps))
            trials.append((rate_pps, passed))
            good, bad = good + passed, bad + (not passed)
        return good >= passes

    if holds(high_pps):
        return Found(high_pps, trials)
    best = 0
    while high_pps - low_pps > precision * high_pps:
        # The middle of the ratio: rates differ by factors.
        middle = int(round((low_pps * high_pps) ** 0.5)) if best == 0 else \
            (low_pps + high_pps) // 2
        if holds(middle):
            best = low_pps = middle
        else:
            high_pps = middle
    if best == 0 and holds(low_pps):
        best = low_pps
    return Found(best, trials)
