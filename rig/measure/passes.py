# SPDX-License-Identifier: BSD-2-Clause
"""The passes of traffic of one run: the verdict, the rate, the latency.

Every frame of every pass counts in the verdict (rig/measure/judge.py). The verdict's own passes
are closed loop: the window is kept full, so a slow host makes them slow and nothing else. Rates
depend on the host; each figure is the middle or the best of several, and all are kept.
"""
import statistics
import time

from . import judge
from .search import highest_kept

FRAMES_PASS = 100000
FRAMES_PASS_FIRST = 20000  # a first answer soon, and code translated
PASSES_MOST = 2000
PASS_S_LEAST, PASS_S_MOST = 1, 15
OVER = 1.1          # of the saturated rate: the highest that is offered
UNDER = 20          # part of the saturated rate: the lowest that is offered
SHARE = 0.8         # of the highest rate that was kept: where latency is taken
SLOW_PPS = 1000


class Plan:
    """How much of each pass; times in seconds from the start of the command. Made when the
    machine forwards: a boot that took long takes from the passes, but leaves them some."""

    def __init__(self, frames, thorough=False, seconds=0.0, started=None):
        now = time.monotonic()
        self.started = now if started is None else started
        booted_s = now - self.started
        self.frames = frames          # that the verdict wants, all passes together
        self.least_s = seconds        # that its passes last
        self.verdict_s, self.search_s, self.fill_s = (
            max(until_s, booted_s + least_s)
            for until_s, least_s in ((40, 12), (52, 18), (60, 22)))
        self.trial_s, self.latency_s, self.precision = 0.5, 2.0, 0.06
        if thorough:
            self.trial_s, self.latency_s, self.precision = 2.0, 10.0, 0.03
        if thorough or seconds:
            self.verdict_s = self.search_s = self.fill_s = 3600 + seconds

    def left_s(self, until_s):
        """Seconds to a time of the plan; negative: it has passed."""
        return self.started + until_s - time.monotonic()


class Passes:
    """All traffic of a run on a machine that forwards."""

    def __init__(self, traffic, plan, log):
        self.traffic, self.plan, self._log = traffic, plan, log
        self.sum = judge.Sum()
        self.rates = []      # of the verdict's passes, pps
        self.trials = []     # (rate really offered, kept up) of the search
        self.best_pps = 0

    def _flood(self, frames, until_s):
        limit_s = min(max(self.plan.left_s(until_s), PASS_S_LEAST), PASS_S_MOST)
        answer = self.sum.add(self.traffic.flood(frames, limit_s))
        self.rates.append(answer["received_pps"])
        self._log(f"verdict: {self.sum['good']} of {self.sum['sent']} frames came back; lost "
                  f"{self.sum['lost']}, reordered {self.sum['reordered']}, corrupt "
                  f"{self.sum['corrupt']}, duplicates {self.sum['duplicates']}; "
                  f"{answer['received_pps'] / 1000:.0f} kpps")
        return judge.clean(answer)

    def verdict(self, until_s):
        """Passes with a full window until as many frames as wanted were sent, a fault was
        found or the time is up."""
        begin = time.monotonic()
        for _ in range(PASSES_MOST):
            lacking = self.plan.frames - self.sum["sent"]
            enough = lacking <= 0 and time.monotonic() - begin >= self.plan.least_s
            if enough or self.plan.left_s(until_s) <= 0 or not judge.clean(self.sum):
                return
            first = not self.rates
            self._flood(min(FRAMES_PASS_FIRST if first else FRAMES_PASS,
                            lacking if lacking > 0 else FRAMES_PASS), until_s)

    def saturated_pps(self):
        """Middle of the passes; the first translated code and counts only when it is alone."""
        return statistics.median(self.rates[1:] or self.rates)

    def search(self):
        """The highest rate at which every frame was sent when it was due; what was really
        offered then, which is less where the host kept the sender from running: its schedule
        stood still."""
        top_pps = self.saturated_pps()

        def trial(rate_pps):
            answer = self.sum.add(self.traffic.run(
                rate_pps, seconds=self.plan.trial_s, open_loop=True))
            kept = judge.kept_up(answer)
            offered_pps = min(rate_pps, round(answer["offered_pps"]))
            self.trials.append((offered_pps, kept))
            self._log(f"rate: {offered_pps / 1000:7.1f} kpps offered, not sent "
                      f"{answer['not_sent']:6d} of {answer['offered']}, lost {answer['lost']}: "
                      f"{'kept' if kept else 'not kept'}")
            return kept
        found = highest_kept(
            trial, max(int(top_pps / UNDER), SLOW_PPS), max(int(top_pps * OVER), 2 * SLOW_PPS),
            precision=self.plan.precision,
            more=lambda: self.plan.left_s(self.plan.search_s) > 0 and judge.clean(self.sum))
        self.best_pps = max((pps for pps, kept in self.trials if kept), default=0)
        if found.cut_short:
            self._log("rate: the time for the search was up; --thorough takes it")

    def latency(self, share, seconds):
        """One open-loop pass at a share of the highest rate that was kept (of the saturated
        rate when none was); the answer."""
        rate_pps = max(int((self.best_pps or self.saturated_pps()) * share), SLOW_PPS)
        answer = self.traffic.run(rate_pps, seconds=seconds, open_loop=True)
        took_us = answer["latency_us"]
        self._log(f"latency: {answer['offered_pps'] / 1000:.1f} kpps, p50 {took_us['p50']:.0f} us,"
                  f" p99 {took_us['p99']:.0f} us, not sent {answer['not_sent']} of "
                  f"{answer['offered']}")
        return self.sum.add(answer)
