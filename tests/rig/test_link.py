# SPDX-License-Identifier: BSD-2-Clause
"""A cable that is pulled and put back in the middle of traffic."""
import threading
import time

import pytest

from rig.measure.judge import clean

WAKES_MOST_PER_S = 200  # a cause that nobody acknowledges makes thousands


@pytest.mark.parametrize("port", [0, 1])
def test_link_comes_back_by_itself(forwarding, port):
    rig = forwarding(cores=2)
    answers = []
    sender = threading.Thread(target=lambda: answers.append(
        rig.traffic.run(5000, seconds=4, expire_ms=100)))
    sender.start()
    time.sleep(1)
    mark = rig.console.mark()
    rig.machine.set_link(port, False)
    rig.console.wait_for(rf"nic{port} link=down", 3, since=mark)
    time.sleep(0.5)
    rig.machine.set_link(port, True)
    rig.console.wait_for(rf"nic{port} link=up", 3, since=mark)
    sender.join()
    answer = answers[0]
    assert answer["lost"] > 0  # the cable was out
    assert answer["good"] > answer["offered"] // 2
    assert answer["corrupt"] == answer["reordered"] == 0
    time.sleep(0.3)
    assert clean(rig.traffic.run(5000, frames=5000))
    assert rig.report()["ports"][port]["link_changes"] >= 2
    rig.stop_clean()


@pytest.mark.parametrize("irq", ["intx", "msi", "msix"])
def test_a_link_change_is_acknowledged(forwarding, irq):
    """INTx is a level: a link cause that stands ends each halt of core 0 at once. Port 1's queue
    is on core 1, which an interrupt of core 0 does not reach."""
    rig = forwarding(cores=2, args=f"irq={irq}")
    for up in (False, True):
        mark = rig.console.mark()
        rig.machine.set_link(1, up)
        rig.console.wait_for(rf"nic1 link={'up' if up else 'down'}", 5, since=mark)
    before = rig.report()
    time.sleep(2)
    after = rig.report()
    seconds = (after["uptime_us"] - before["uptime_us"]) / 1e6
    wakes = (after["cores"][0]["wakes"] - before["cores"][0]["wakes"]) / seconds
    assert wakes <= WAKES_MOST_PER_S, f"core 0: {wakes:.0f} wakes/s"
    assert "silent=" not in rig.console.text  # each interrupt was tried at start, and came
    assert clean(rig.traffic.run(3000, frames=2000))
    rig.stop_clean()


@pytest.mark.parametrize("unit", ["intel-iommu,intremap=on", "amd-iommu"])
def test_a_machine_with_an_iommu_forwards(forwarding, unit):
    rig = forwarding(cores=2, extra=["-device", unit])
    assert "iommu units=1 " in rig.console.text
    assert "found=on" not in rig.console.text
    assert clean(rig.traffic.run(3000, frames=2000))
    rig.stop_clean()


def test_many_short_cuts(forwarding):
    rig = forwarding()
    for i in range(10):
        rig.machine.set_link(i % 2, False)
        rig.traffic.run(5000, seconds=0.05, expire_ms=20, quiet_ms=20)
        rig.machine.set_link(i % 2, True)
    time.sleep(0.5)
    rig.traffic.probe(10, lanes="0>1")
    rig.traffic.probe(10, lanes="1>0")
    assert clean(rig.traffic.run(5000, frames=5000))
    rig.stop_clean()


def test_boot_without_cable(machine, traffic_program):
    """The link is down at start and comes later: forwarding begins by itself."""
    from rig.measure.generator import Traffic
    one = machine("l2fwd", extra=["-S"])
    one.set_link(0, False)
    one.qmp("cont")
    one.console.wait_for(r"state=forwarding", 15)
    time.sleep(0.5)
    one.set_link(0, True)
    with Traffic(traffic_program, one, lanes="0>1,1>0") as traffic:
        traffic.probe(10)
        assert clean(traffic.run(5000, frames=3000))
