# SPDX-License-Identifier: BSD-2-Clause
"""The verdict and what the host took: by the written rules."""
import dataclasses
import os

import pytest

from rig.commands import run
from rig.measure import judge


def test_faults_fail_a_run():
    """Each fault does, whatever the host took; what was not sent, or the rate, never does."""
    good = dict.fromkeys((*judge.FAULTS, "machine_kept", "owner_refusals", "exit_code"), 0)
    good.update(pools_full=True, closed=False)
    host = {"not_sent": 99999, "pps_max_no_loss": 0, "disturbed": ["everything"]}
    assert run.verdict({**good, **host}) == []
    for name in good:
        bad = {**good, name: not good[name]}
        assert run.verdict(bad), name


SHARE = judge.Share(seconds=30.0, steal=0.0, others=0.0, vcpu_waited=0.3, paused=0.01)


@pytest.mark.parametrize("name, value", [("steal", 0.04), ("others", 0.11), ("vcpu_waited", 0.61),
                                         ("paused", 0.06)])
def test_disturbed_by_the_written_rule(name, value):
    assert judge.disturbed(SHARE) == []
    why = judge.disturbed(dataclasses.replace(SHARE, **{name: value}))
    assert len(why) == 1 and f"{value:.0%}" in why[0]


def test_host_share_subtracts_the_run_itself(monkeypatch):
    """Two CPUs for 10 s: 12 s of them used, 7 s by this run, 1 s stolen."""
    class FakeMachine:
        waits = {"CPU 0/TCG": 0, "qemu-system-x86": 0}

        def thread_waits(self):
            return dict(self.waits)

        def pids(self):
            return []
    looks = iter([(100.0, 50.0, 0.0, 2), (110.0, 62.0, 1.0, 2)])
    used = iter([3.0, 10.0])
    monkeypatch.setattr(judge.Host, "_cpus", lambda self: next(looks))
    monkeypatch.setattr(judge.Host, "_own_s", lambda self: next(used))
    machine = FakeMachine()
    host = judge.Host([machine], [])
    machine.waits = {"CPU 0/TCG": 2_500_000_000, "qemu-system-x86": 9_000_000_000}
    share = host.share(paused_us=200_000)
    assert share == judge.Share(10.0, 0.05, 0.25, 0.25, 0.02)


def test_stat_of_the_kernel_is_read():
    text = "cpu  100 0 50 800 20 10 5 30 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\n"
    busy_s, steal_s, cpus = judge.cpu_line(text)
    assert (round(busy_s / judge.TICK_S), round(steal_s / judge.TICK_S), cpus) == (165, 30, 2)
    assert judge.process_s(os.getpid()) > 0 and judge.process_s(1 << 30) == 0
