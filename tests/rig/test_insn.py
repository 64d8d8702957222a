# SPDX-License-Identifier: BSD-2-Clause
"""Exact instruction counts of the shipped image."""
import pytest

from rig import count

PER_PACKET_MOST = 110  # DPDK's macswap on e1000e: 276; ixy's C ixgbe driver: 127
HAND_OVER_MOST = 15


@pytest.fixture(scope="module")
def counted(build_dir, image):
    return count.measure(str(build_dir), image("l2fwd"))


def test_instructions_per_packet(counted):
    """60-byte frames, batch 32, ownership checks on: poll entry to the next poll entry / 32."""
    assert 40 < counted.per_packet <= PER_PACKET_MOST, counted


def test_the_average_agrees_with_the_peak(counted):
    """Two ways of counting the same: the usual full burst, and all instructions / packets."""
    assert counted.batch_average > 24, counted
    assert abs(counted.per_packet_average / counted.per_packet - 1) < 0.15, counted


def test_hand_over(counted):
    assert 0 < counted.hand_over <= HAND_OVER_MOST, counted
