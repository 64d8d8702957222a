# SPDX-License-Identifier: BSD-2-Clause
"""Poll and sleep: no frame stays behind, an idle machine sleeps, a busy one is not interrupted.

Frames left in a ring are looked for on core 1, which has no console timer: a wake-up that is
lost there stays lost for sleep_max_us, which is set longer than the traffic program waits.
"""
import threading
import time

import pytest

from rig.judge import clean

# spin_us, empty_polls, busy_packets: sleepy, as shipped, wakeful.
THRESHOLDS = {"sleepy": (0, 0, 1), "shipped": (200, 64, 1), "wakeful": (2000, 1000, 4)}
SLEEP_MAX_US = 10000000
HALTED_LEAST = 0.99
WAKES_MOST_PER_S = 20
VCPU_LOAD_MOST = 0.01
SATURATED_SPIN_US = 50000


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


def shares(before, after, core):
    """(share of the time halted, wakes a second) of a core between two reports."""
    seconds = (after["uptime_us"] - before["uptime_us"]) / 1e6
    one, two = before["cores"][core], after["cores"][core]
    return ((two["halt_us"] - one["halt_us"]) / 1e6 / seconds,
            (two["wakes"] - one["wakes"]) / seconds)


@pytest.mark.parametrize("cores", [1, 2])
def test_idle_machine_sleeps(forwarding, cores):
    """10 s without traffic: halted at least 99 %, at most 20 wakes a second, and the host sees
    less than 1 % of a CPU over 4 s."""
    rig = forwarding(cores=cores)
    time.sleep(3)
    before = rig.report()
    loads = rig.machine.vcpu_load(4)
    time.sleep(6)
    after = rig.report()
    for core in range(cores):
        halted, wakes = shares(before, after, core)
        assert halted >= HALTED_LEAST, f"core {core} halted {halted:.4f}"
        assert wakes <= WAKES_MOST_PER_S, f"core {core}: {wakes:.1f} wakes/s"
    assert len(loads) == cores and max(loads) < VCPU_LOAD_MOST, loads


def test_always_polling_does_not_sleep(forwarding):
    """The same measures tell the modes apart: poll=always uses its whole CPU."""
    rig = forwarding(args="poll=always")
    before = rig.report()
    loads = rig.machine.vcpu_load(2)
    halted, _ = shares(before, rig.report(), 0)
    assert halted == 0 and max(loads) > 0.3


@pytest.mark.parametrize("poll", ["adaptive", "always"])
def test_saturation_has_no_interrupts(forwarding, poll):
    """Behind the first 100 ms of saturating traffic there is not one interrupt and no arming.

    Traffic saturates a core when it has no gap as long as spin_us. This host stops the sender
    for some milliseconds now and then, so spin_us is longer than that here."""
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
    assert after["packets"] - before["packets"] > 50000
    assert (after["irqs"], after["arms"]) == (before["irqs"], before["arms"])
    assert not answers[0]["corrupt"] and not answers[0]["reordered"]


def test_slow_traffic_is_not_slowed_by_sleep(forwarding):
    """100 frames a second: each finds a sleeping core and is forwarded by an interrupt, not by
    the next timer (sleep_max_us is 100 ms, the console's timer as long)."""
    rig = forwarding(args="sleep_max_us=100000")
    answer = rig.traffic.run(100, frames=100, block=True)
    assert clean(answer)
    assert answer["latency_us"]["p50"] < 5000, answer["latency_us"]


def test_thresholds_change_while_running(forwarding):
    rig = forwarding()
    rig.set(poll="always")
    before = rig.report()
    time.sleep(0.5)
    middle = rig.report()
    assert shares(before, middle, 0)[0] == 0
    rig.set(poll="adaptive")
    time.sleep(0.5)
    before = rig.report()
    time.sleep(1)
    assert shares(before, rig.report(), 0)[0] > 0.9
    mark = rig.console.mark()
    rig.console.send("set spin_us=nonsense")
    rig.console.wait_for(r"spin_us", 3, since=mark)
    mark = rig.console.mark()
    rig.console.send("set cores=2")  # not live
    rig.console.wait_for(r"cores", 3, since=mark)
    assert clean(rig.traffic.run(5000, frames=2000))
