# SPDX-License-Identifier: BSD-2-Clause
"""The words of every verdict, for run, compare, tune, soak and the tests.

*lost*: sent, and did not come back intact. Frames that come late are waited for, 5 s.
*not sent*: due, but the window was full (rig/traffic/trial.h). That is the rate's fault, of
machine and host together; nothing is lost by it.
*disturbed*: the host took so much away that rates and latencies say little (`disturbed`). Faults
are counted in frames and stand, whatever the host does.
"""
import dataclasses
import os
import re
import time

FAULTS = ("lost", "reordered", "corrupt", "duplicates")
STEAL_MOST = 0.03     # of the CPUs' time
OTHERS_MOST = 0.10    # of the CPUs' time
WAITED_MOST = 0.60    # of the time, a vCPU thread; two CPUs that only run this rig: 0.1 to 0.4
PAUSED_MOST = 0.05    # of the time
VCPU = re.compile(r"CPU \d+/TCG|ALL CPUs/TCG")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def clean(answer):
    """Nothing is wrong with the frames of a trial (or of a sum of trials)."""
    return not any(answer[name] for name in FAULTS) and not answer.get("closed")


def kept_up(answer):
    """A clean trial in which every frame was sent when it was due."""
    return clean(answer) and answer["not_sent"] == 0


class Sum:
    """Frames of all trials of a run: a fault in any of them is a fault of the run."""

    def __init__(self):
        self.counts = dict.fromkeys((*FAULTS, "sent", "good", "not_sent", "paused_us"), 0)
        self.closed = False

    def add(self, answer):
        """Counts a trial; returns it."""
        for name in self.counts:
            self.counts[name] += answer[name]
        self.closed |= answer["closed"]
        return answer

    def __getitem__(self, name):
        return self.closed if name == "closed" else self.counts[name]

    def get(self, name):
        return self[name]


# ---- what the host took ----

@dataclasses.dataclass
class Share:
    """What the host took away during some seconds, as shares of that time."""
    seconds: float
    steal: float        # of all CPUs: taken by the hypervisor below this host
    others: float       # of all CPUs: used by programs that are not of this run
    vcpu_waited: float  # of the time: the vCPU threads were ready and had no CPU (the worst)
    paused: float       # of the time: the sender was woken too late

    def as_dict(self):
        return {name: round(value, 3) for name, value in dataclasses.asdict(self).items()}


def disturbed(share):
    """Why a rate says little: the written rule, as words; empty when it may be trusted."""
    rules = ((share.steal, STEAL_MOST, "the hypervisor took {} of the CPUs"),
             (share.others, OTHERS_MOST, "other programs took {} of the CPUs"),
             (share.vcpu_waited, WAITED_MOST, "a vCPU waited {} of the time for a CPU"),
             (share.paused, PAUSED_MOST, "the sender was late {} of the time"))
    return [text.format(f"{value:.0%}") for value, most, text in rules if value > most]


def table_rows(share):
    """Rows of a table: what the host took, and whether that disturbs the rate."""
    why = disturbed(share)
    return [("host: steal / other programs", f"{share.steal:.1%} / {share.others:.1%} of its CPUs"),
            ("host: vCPU waited / sender late", f"{share.vcpu_waited:.1%} / {share.paused:.1%} "
                                                "of the time"),
            ("host: this run was", "disturbed: " + "; ".join(why) if why else "undisturbed")]


def cpu_line(text):
    """(busy, steal, CPUs) of /proc/stat, in seconds. Guests' time is in user already."""
    lines = [line.split() for line in text.splitlines() if line.startswith("cpu")]
    user, nice, system, _, _, irq, softirq, steal = (int(word) for word in lines[0][1:9])
    return (user + nice + system + irq + softirq) * TICK_S, steal * TICK_S, len(lines) - 1


def process_s(pid):
    """CPU seconds of a process, with threads that have ended; 0 when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as file:
            words = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) * TICK_S


class Host:
    """Watches the host during a run: host = Host([machine], [traffic]); ...;
    host.share(paused_us)."""

    def __init__(self, machines, traffics):
        self._machines = machines
        self._pids = [os.getpid(), *(pid for machine in machines for pid in machine.pids()),
                      *(traffic.process.pid for traffic in traffics)]
        self._begin = self._look()

    def _cpus(self):
        with open("/proc/stat", encoding="ascii") as file:
            return (time.monotonic(), *cpu_line(file.read()))

    def _own_s(self):
        return sum(process_s(pid) for pid in self._pids)

    def _look(self):
        waits = {(number, name): wait_ns for number, machine in enumerate(self._machines)
                 for name, wait_ns in machine.thread_waits().items() if VCPU.fullmatch(name)}
        return *self._cpus(), self._own_s(), waits

    def share(self, paused_us=0):
        """What was taken since the start; `paused_us` is the traffic programs' count."""
        begin, busy, steal, cpus, own, waits = self._begin
        end, busy2, steal2, _, own2, waits2 = self._look()
        seconds = max(end - begin, TICK_S)
        all_s = seconds * cpus
        waited_ns = max((waits2[n] - waits[n] for n in waits if n in waits2), default=0)
        return Share(seconds, (steal2 - steal) / all_s,
                     max(0.0, (busy2 - busy - (own2 - own)) / all_s),
                     waited_ns / 1e9 / seconds, paused_us / 1e6 / seconds)
