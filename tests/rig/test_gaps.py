# SPDX-License-Identifier: BSD-2-Clause
"""Who stole a core's time: the host, here by stopping QEMU for a while."""
import os
import signal
import time

from rig.measure import gaps
from rig.measure.judge import clean

STOLEN_S = 0.4


def gaps_of(rig):
    return rig.report()["cores"][0]["gaps"]


def test_a_stop_by_the_host_is_seen(forwarding):
    rig = forwarding(args="poll=always")
    before = gaps_of(rig)
    time.sleep(0.5)  # the report has left: the console's timer, which is own work, rests
    os.kill(rig.machine.process.pid, signal.SIGSTOP)
    time.sleep(STOLEN_S)
    os.kill(rig.machine.process.pid, signal.SIGCONT)
    assert clean(rig.traffic.run(2000, frames=1000))
    after = gaps_of(rig)
    assert after["host"]["count"] > before["host"]["count"]
    assert after["host"]["longest_us"] >= 0.9 * STOLEN_S * 1e6, after
    assert after["longest_us"] >= after["host"]["longest_us"]
    assert not after["smi_counted"] and after["firmware"]["count"] == 0
    core = rig.report()["cores"][0]
    turns = sum(core["gaps"]["below_us"])
    assert abs(turns - core["turns"] - core["arms"]) <= 1  # the turn that reports is under way
    mark = rig.console.mark()
    rig.console.send("gaps")
    rig.console.wait_for(r"^gap core=0 cause=host count=\d+ .*where=", 3, since=mark)


def test_halts_are_no_gaps(forwarding):
    """An idle machine sleeps 0.1 s at a time: that is no theft, and the figure stands apart."""
    rig = forwarding(args="spin_us=50")
    time.sleep(1)
    seen = gaps_of(rig)
    assert seen["longest_halt_us"] >= 50000
    assert sum(seen[cause]["total_us"] for cause in ("work", "host", "unknown")) < 500000


def test_figures_of_a_histogram():
    """Bucket i counts gaps below 2**i us: the first of 128 us and more is bucket 8."""
    assert gaps.minus([5, 3, 2], [5, 1]) == [0, 2, 2]
    assert gaps.minus([5, 3], [5, 3]) == []
    seen = gaps.figures([10] * 8 + [6, 0, 1], 2)
    assert (seen["long_per_s"], seen["longest_below_us"]) == (3.5, 1024)
