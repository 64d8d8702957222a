# SPDX-License-Identifier: BSD-2-Clause
"""Poll and sleep: no frame stays behind, an idle machine sleeps, a busy one is not interrupted.

Frames left in a ring are looked for on core 1, which has no console timer: a wake-up that is
lost there stays lost for sleep_max_us, which is set longer than the traffic program waits.
"""
import threading
import time

import pytest

from rig.measure.judge import clean

# spin_us, empty_polls, busy_packets: sleepy, as shipped, wakeful.
THRESHOLDS = {"sleepy": (0, 0, 1), "shipped": (200, 64, 1), "wakeful": (2000, 1000, 4)}
SLEEP_MAX_US = 10000000
AWAKE_MOST = 0.01
WAKES_MOST_PER_S = 20
VCPU_LOAD_MOST = 0.01
SATURATED_SPIN_US = 1000000


@pytest.mark.parametrize("thresholds", THRESHOLDS)
@pytest.mark.parametrize("poll", ["adaptive", "irq", "always"])
def test_no_frame_is_left(forwarding, poll, thresholds):
    """k = 1..1024 frames at once, then silence: often shorter, often longer than the core spins."""
    spin_us, empty_polls, busy_packets = THRESHOLDS[thresholds]
    rig = forwarding(cores=2, args=f"sleep_max_us={SLEEP_MAX_US}")
    rig.set(poll=poll, spin_us=spin_us, empty_polls=empty_polls, busy_packets=busy_packets)
    assert rig.report()["cores"][1]["rx_queues"] == 1
    answer = rig.traffic.bursts(1, 1024, gap_us=max(1000, 2 * spin_us), lanes="1>0")
    assert answer["bursts"] == 1024 and answer["frames"] == 1024 * 1025 // 2
    assert answer["left"] == 0, answer
    assert answer["other_faults"] == 0, answer
    slept = rig.report()["cores"][1]["wakes"]
    assert (slept > 100) == (poll != "always"), slept
    rig.stop_clean()


@pytest.mark.parametrize("cores", [1, 2])
def test_idle_machine_sleeps(forwarding, cores):
    """Without traffic: awake at most 1 % of the time, at most 20 wakes a second, and the host
    sees less than 1 % of a CPU over 4 s."""
    rig = forwarding(cores=cores)
    time.sleep(3)
    loads = rig.machine.vcpu_load(4)
    for core in rig.watch(6):
        assert core.awake() <= AWAKE_MOST, core
        assert core.wakes_per_s() <= WAKES_MOST_PER_S, core
    assert len(loads) == cores and max(loads) < VCPU_LOAD_MOST, loads


def test_always_polling_does_not_sleep(forwarding):
    """The same measures tell the modes apart: poll=always never halts, and its thread runs or
    waits for a CPU all the time."""
    rig = forwarding(args="poll=always")
    times = rig.machine.thread_times()["CPU 0/TCG"][0]
    core, = rig.watch(2)
    ran_us = (rig.machine.thread_times()["CPU 0/TCG"][0] - times) / 1000
    assert core.halted_us == 0
    assert ran_us + core.host_us > 0.9 * core.span_us, (ran_us, core)


@pytest.mark.parametrize("poll", ["adaptive", "always"])
def test_saturation_has_no_interrupts(forwarding, poll):
    """Behind the first 100 ms of saturating traffic there is not one interrupt and no arming.

    Traffic saturates a core when it has no gap as long as spin_us. The host stops the sender now
    and then, so spin_us is longer than that here."""
    rig = forwarding(args=f"poll={poll} spin_us={SATURATED_SPIN_US}", lanes="0>1")
    rig.traffic.run(1000000, seconds=0.3, open_loop=True)  # code translated
    answers = []
    sender = threading.Thread(
        target=lambda: answers.append(rig.traffic.run(1500000, seconds=4, open_loop=True)))
    sender.start()
    time.sleep(0.5)
    before = rig.report()["cores"][0]
    time.sleep(2.5)
    after = rig.report()["cores"][0]
    sender.join()
    assert after["packets"] > before["packets"]
    assert (after["irqs"], after["arms"]) == (before["irqs"], before["arms"])
    assert not answers[0]["corrupt"] and not answers[0]["reordered"]


def test_slow_traffic_is_not_slowed_by_sleep(forwarding):
    """100 frames a second: each finds a sleeping core and is forwarded by an interrupt, not by
    the next timer: there is none on core 1 for sleep_max_us, which is ten times as long as all
    of them take."""
    rig = forwarding(cores=2, args=f"sleep_max_us={SLEEP_MAX_US}")
    before = rig.report()["cores"][1]
    answer = rig.traffic.run(100, frames=100, block=True, lanes="1>0")
    after = rig.report()["cores"][1]
    assert clean(answer)
    assert after["irqs"] - before["irqs"] >= 10, (before, after)
    assert answer["latency_us"]["p50"] < SLEEP_MAX_US / 10, answer["latency_us"]


def test_thresholds_change_while_running(forwarding):
    rig = forwarding()
    rig.set(poll="always")
    assert rig.watch(0.5)[0].halted_us == 0
    rig.set(poll="adaptive")
    time.sleep(0.5)
    assert rig.watch(1)[0].awake() < 0.1
    mark = rig.console.mark()
    rig.console.send("set spin_us=nonsense")
    rig.console.wait_for(r"spin_us", 3, since=mark)
    mark = rig.console.mark()
    rig.console.send("set cores=2")  # not live
    rig.console.wait_for(r"cores", 3, since=mark)
    assert clean(rig.traffic.run(5000, frames=2000))
