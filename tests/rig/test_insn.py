# SPDX-License-Identifier: BSD-2-Clause
"""Exact instruction counts: of the shipped image, and of a loop whose count is known."""
import subprocess

import pytest

from rig.apps import L2FWD
from rig.machine.command import program
from rig.measure import count

PER_PACKET_MOST = 110  # DPDK's macswap on e1000e: 276; ixy's C ixgbe driver: 127
HAND_OVER_MOST = 15
TURNS = 1000
LOOP_AT = 0x8ff7  # the `add` in it is the last 4 bytes of a page and 2 of the next
LOOP = (bytes([0xb9]) + TURNS.to_bytes(2, "little")  # mov cx, TURNS
        + bytes([0x90, 0x90,                          # nop; nop
                 0x66, 0x05, 1, 0, 0, 0,              # add eax, 1
                 0x49, 0x75, 0xf5,                    # dec cx; jnz to the first nop
                 0xba, 0x01, 0x05, 0xee, 0xf4]))      # mov dx, 0x501; out dx, al: the end; hlt
LOOP_INSTRUCTIONS = 1 + 5 * TURNS + 3


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


def boot_sector():
    """Copies LOOP to LOOP_AT and goes there."""
    at = LOOP_AT.to_bytes(2, "little")
    copy = (bytes([0xfa, 0xfc, 0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0,  # cli; cld; ds = es = 0
                   0xbe, 0x18, 0x7c, 0xbf]) + at                    # si: behind this; di
            + bytes([0xb9, len(LOOP), 0, 0xf3, 0xa4, 0xea]) + at + bytes(2))  # rep movsb; jmp
    assert len(copy) == 0x18
    return (copy + LOOP).ljust(510, b"\0") + b"\x55\xaa"


def test_an_instruction_across_two_pages_is_one(build_dir, tmp_path):
    disk, counts = tmp_path / "disk", tmp_path / "counts"
    disk.write_bytes(boot_sector())
    subprocess.run([program("e1000e"), "-nodefaults", "-display", "none", "-accel", "tcg",
                    "-plugin", f"{count.plugin_path(build_dir)},counts={counts}",
                    "-drive", f"file={disk},format=raw",
                    "-device", "isa-debug-exit,iobase=0x501,iosize=2"], timeout=60, check=False)
    blocks = count.Counts(counts).snapshot().blocks
    assert sum(insns * times for (vaddr, _, insns), times in blocks.items()
               if LOOP_AT <= vaddr < LOOP_AT + len(LOOP)) == LOOP_INSTRUCTIONS, blocks


def test_what_counts_as_full():
    """A few tries at a full ring do not matter; many do, in whichever part of the function."""
    most = {"l2fwd_worker_poll": 99900, "send_rest": 50, "send_rest.cold": 40}
    assert not count.ring_was_full(L2FWD, most)
    assert count.ring_was_full(L2FWD, {**most, "send_rest.cold": 60})
    assert not count.ring_was_full(L2FWD, {"l2fwd_worker_poll": 10})
