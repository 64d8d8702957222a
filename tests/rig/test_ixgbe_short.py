# SPDX-License-Identifier: BSD-2-Clause
"""The 10 GbE driver in every test run: the shipped image on software 82599 cards, short. The
long ones are test_ixgbe.py (`./millrace test cards`)."""
import pytest

from rig.apps import L2FWD
from rig.measure import count
from rig.measure.judge import clean

FRAMES = 20000
INSTRUCTIONS_MOST = 115  # a packet; the driver's slow path makes them 300

pytestmark = pytest.mark.usefixtures("vfio_qemu")


@pytest.mark.parametrize("cores", [1, 2])
def test_forward_and_stop(forwarding, cores):
    """Both ways, mixed sizes, flows over all queues; then bursts with silence between, by
    interrupt; nothing lost, the cards saw no breach, every buffer is home."""
    rig = forwarding(nic="ixgbe", cores=cores)
    answer = rig.traffic.run(20000, frames=FRAMES, sizes="60-1514", flows=64)
    assert clean(answer) and answer["good"] == FRAMES, answer
    answer = rig.traffic.bursts(first=1, last=100)
    assert (answer["left"], answer["other_faults"]) == (0, 0), answer
    rig.clean_cards()
    report = rig.stop_clean()
    assert sum(core["irqs"] for core in report["cores"]) > 0
    assert all(core["packets"] > 0 for core in report["cores"])


def test_frames_without_udp_sum_are_plain(build_dir):
    """The rig's frames have none, which the 82599 calls wrong; nobody asked for checksums."""
    counted = count.measure(L2FWD, build_dir, f"tx_descs={count.TX_DESCS}",
                            nic="ixgbe")
    assert 40 < counted.per_packet <= INSTRUCTIONS_MOST, counted
