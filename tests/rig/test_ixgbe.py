# SPDX-License-Identifier: BSD-2-Clause
"""l2fwd on software 82599 cards. Skipped where no QEMU can be had that takes them."""
import os

import pytest

from rig.apps import L2FWD
from rig.machine import pxe
from rig.measure import count
from rig.measure.generator import WINDOW
from rig.measure.judge import clean

RATE_PPS = 20000
FRAMES = 40000
FLOWS = 64
INSTRUCTIONS_MOST = 104  # a packet in full bursts, whole turns, macswap; DPDK's: 138
EMPTY_MOST = 100         # an empty turn, a port

pytestmark = pytest.mark.usefixtures("vfio_qemu")


def forward(rig, frames=FRAMES, **fields):
    """Closed loop: a stall of the host makes it slower, and nothing is lost by that."""
    answer = rig.traffic.run(RATE_PPS, frames=frames, **fields)
    assert clean(answer) and answer["good"] == frames, answer
    rig.clean_cards()


@pytest.mark.parametrize("cores", [1, 2])
def test_direct(forwarding, cores):
    """Mixed sizes, both ways, and silence between bursts: polled and by interrupt."""
    rig = forwarding(nic="ixgbe", cores=cores)
    forward(rig)
    forward(rig, sizes="60-1514", flows=FLOWS)
    answer = rig.traffic.bursts(first=1, last=200)
    assert answer["left"] == 0, answer
    assert all(port["speed_mbps"] == 10000 for port in rig.report()["ports"])
    report = rig.stop_clean()
    assert sum(core["irqs"] for core in report["cores"]) > 0


@pytest.mark.parametrize("queues,cores", [(1, 1), (2, 1), (2, 2), (4, 2)])
def test_queues(forwarding, queues, cores):
    """RSS: flows keep their order over any number of queues, and every core gets some."""
    rig = forwarding(f"queues={queues}", nic="ixgbe", cores=cores)
    forward(rig, flows=FLOWS)
    report = rig.stop_clean()
    queues_seen = [core["rx_queues"] for core in report["cores"]]
    assert sum(queues_seen) == 2 * queues
    assert all(core["packets"] > 0 for core in report["cores"] if core["rx_queues"])


@pytest.mark.parametrize("boot", ["pxe-bios", "pxe-card"])
def test_network_boot(forwarding, boot):
    """By a management port, which is left alone, and over the card itself."""
    if boot == "pxe-card" and not os.path.exists(pxe.LKRN):
        pytest.skip(f"{pxe.LKRN} is not here (package ipxe)")
    rig = forwarding(nic="ixgbe", boot=boot)
    forward(rig)
    assert len(rig.stop_clean()["ports"]) == 2


def test_x540(forwarding):
    """The copper card of the same family."""
    rig = forwarding(nic="ixgbe", card_options="id=1528")
    forward(rig)
    rig.stop_clean()


def test_link(forwarding):
    """The cable is pulled and plugged; frames flow again."""
    rig = forwarding(nic="ixgbe")
    mark = rig.console.mark()
    rig.machine.set_link(0, False)
    rig.console.wait_for(r"nic0 link=down", 5, since=mark)
    rig.machine.set_link(0, True)
    rig.console.wait_for(r"nic0 link=up", 5, since=mark)
    rig.traffic.probe(10, lanes="0>1", flows=1)
    forward(rig)
    rig.stop_clean()


def test_instructions(build_dir):
    """Counted: the same on every host."""
    counted = count.measure(L2FWD, build_dir, f"mode=macswap tx_descs={WINDOW}",
                            nic="ixgbe")
    assert counted.batch_average > 16, counted
    assert 40 < counted.per_packet <= INSTRUCTIONS_MOST, counted
    assert 0 < counted.empty <= EMPTY_MOST, counted
