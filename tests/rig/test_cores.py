# SPDX-License-Identifier: BSD-2-Clause
"""Any number of cores, one or two receive queues a port."""
import pytest

from rig.measure.judge import clean


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
