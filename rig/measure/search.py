# SPDX-License-Identifier: BSD-2-Clause
"""The highest rate that is kept: pure search over trials that keep up or do not."""
import dataclasses


@dataclasses.dataclass
class Found:
    rate_pps: int    # highest rate that was kept; 0: none was
    trials: list     # (rate, kept) in order, all of them
    cut_short: bool  # there was no time for more


def highest_kept(trial, low_pps, high_pps, precision=0.06, tries=3, more=lambda: True):
    """Binary search between `low_pps` and `high_pps` until the bounds are within `precision`.

    `trial(rate_pps)` is true when every frame was sent when it was due. That is a measurement
    of machine and host together, and of `tries` trials the best counts: one stall of the host
    fills the window. It is not where faults are judged: a frame that a trial loses is counted by
    whoever calls, kept or not. The search ends when `more()` is false. The rate that is returned
    has itself been tried and was kept.
    """
    trials = []

    def kept(rate_pps):
        for _ in range(tries):
            if not more():
                return False
            trials.append((rate_pps, bool(trial(rate_pps))))
            if trials[-1][1]:
                return True
        return False

    if kept(high_pps):
        return Found(high_pps, trials, False)
    best = 0
    while more() and high_pps - low_pps > precision * high_pps:
        # The middle of the ratio: rates differ by factors.
        middle = int(round((low_pps * high_pps) ** 0.5)) if best == 0 else \
            (low_pps + high_pps) // 2
        if kept(middle):
            best = low_pps = middle
        else:
            high_pps = middle
    if best == 0 and kept(low_pps):
        best = low_pps
    return Found(best, trials, not more())
