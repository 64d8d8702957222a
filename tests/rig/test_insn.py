# SPDX-License-Identifier: BSD-2-Clause
"""Exact instruction counts of the shipped image."""
import pytest

from rig.apps import L2FWD
from rig.measure import count

PER_PACKET_MOST = 110  # DPDK's macswap on e1000e: 276; ixy's C ixgbe driver: 127
HAND_OVER_MOST = 15


@pytest.fixture(scope="module")
def counted(build_dir):
    return count.measure(L2FWD, build_dir)


def test_instructions_per_packet(counted):
    """60-byte frames, batch 32, ownership checks on: from one turn's poll to the next turn's."""
    assert 40 < counted.per_packet <= PER_PACKET_MOST, counted


def test_the_average_agrees_with_the_peak(counted):
    """Two ways of counting the same: the usual full burst, and all instructions / packets."""
    assert counted.batch_average > 24, counted
    assert abs(counted.per_packet_average / counted.per_packet - 1) < 0.15, counted


def test_hand_over(counted):
    assert 0 < counted.hand_over <= HAND_OVER_MOST, counted


def test_a_turn_is_whole(counted):
    """Two ports are polled in it, and its end is counted: an empty poll alone is 49."""
    assert 60 < counted.empty < 110, counted
    assert counted.one > 2 * counted.empty, counted


def test_a_full_ring_is_not_counted(build_dir):
    """With a ring that cannot hold the burst, what is counted is the host's speed: refused."""
    with pytest.raises(RuntimeError, match="transmit ring was full"):
        count.measure(L2FWD, build_dir, "tx_descs=32")


def test_what_counts_as_full():
    """A few tries at a full ring do not matter; many do, in whichever part of the function."""
    most = {"l2fwd_worker_poll": 99900, "send_rest": 50, "send_rest.cold": 40}
    assert not count.ring_was_full(L2FWD, most)
    assert count.ring_was_full(L2FWD, {**most, "send_rest.cold": 60})
    assert not count.ring_was_full(L2FWD, {"l2fwd_worker_poll": 10})
