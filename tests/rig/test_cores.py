# SPDX-License-Identifier: BSD-2-Clause
"""Any number of cores, one or two receive queues a port."""
import time

import pytest

from rig.apps import L2FWD
from rig.machine.console import ConsoleTimeout
from rig.measure.judge import clean

from hold import Held

START_TIMEOUT_S = 1  # rt/x86/smp.c


@pytest.mark.parametrize("queues", [1, 2])
@pytest.mark.parametrize("cores", [1, 2, 3, 4, 8])
def test_cores_and_queues(forwarding, cores, queues):
    rig = forwarding(cores=cores, args=f"queues={queues}")
    before = rig.report()
    answer = rig.traffic.run(5000, frames=5000, flows=64)
    assert clean(answer), answer
    after = rig.report()
    assert len(after["cores"]) == cores
    assert sum(core["rx_queues"] for core in after["cores"]) == 2 * queues
    for one, two in zip(before["cores"], after["cores"]):
        # Receive-side scaling spreads 64 flows: each core with a queue gets some.
        assert (two["packets"] > one["packets"]) == (two["rx_queues"] > 0), two
    rig.stop_clean()


def test_core_without_queue_halts(forwarding):
    rig = forwarding(cores=4, args="queues=1")
    queues = [core["rx_queues"] for core in rig.report()["cores"]]
    idle = [time for time, count in zip(rig.watch(2), queues) if count == 0]
    assert len(idle) == 2
    for time in idle:
        assert time.awake() < 0.01, time


def test_fewer_cores_than_the_machine_has(forwarding):
    rig = forwarding(cores=4, args="cores=2")
    assert clean(rig.traffic.run(5000, frames=3000))
    assert sum(core["packets"] > 0 for core in rig.report()["cores"]) == 2
    rig.stop_clean()


def test_core_that_comes_late(machine):
    """The host stops a virtual core until core 0 has given it up; then it goes on with what it
    was told. It must find the page that it starts in: without it, it faults before it has a
    handler, and that resets the machine. (A host so busy that core 1 is stopped too late tests
    nothing here: then both run.)"""
    one = machine(L2FWD.name, cores=2)
    one.console.wait_for("^boot entry", 20)
    with Held(one, "CPU 1/TCG"):
        time.sleep(1.5 * START_TIMEOUT_S)
    running = one.console.wait_for(r"^cores running=(\d)", 20).group(1)
    one.console.wait_for(L2FWD.ready, 20)
    assert (running == "1") == bool(one.console.find("^core apic=1 state=failed"))
    with pytest.raises(ConsoleTimeout, match="not within"):
        one.console.wait_for("^no such line", 0.2)  # time to end in
    assert one.alive()


def test_a_machine_that_ends_is_told(machine):
    """What QEMU said and its exit status are in the message: they tell a reset from a crash."""
    one = machine(L2FWD.name, extra=["-device", "no-such-device"])
    with pytest.raises(ConsoleTimeout, match="exit status: 1; stderr: .*no-such-device"):
        one.console.wait_for("^boot entry", 20)
