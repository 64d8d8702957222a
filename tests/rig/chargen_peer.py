#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Pinned bytes of an image, read by Linux: run by test_chargen.py as `chargen_peer.py IMAGE
CASE` in a namespace of its own.
"""
import array
import pathlib
import socket
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.rig import tap  # noqa: E402  (needs the path above)

OURS, PORT = "192.168.7.9", 19
WAIT_S = 60
MIB = 1 << 20
TABLE_WORDS = 4 * MIB
WHOLE_MIB = 1024
TABLE = memoryview(array.array("I", (i * 2654435761 & 0xffffffff
                                     for i in range(TABLE_WORDS))).tobytes())


def read(stream, mib):
    """So many bytes of the stream, each compared; fewer when it ends. How many."""
    got, piece = 0, bytearray(MIB)
    while got < mib * MIB:
        size = stream.recv_into(piece, min(MIB, mib * MIB - got))
        if size == 0:
            break
        at = got % len(TABLE)
        first = min(size, len(TABLE) - at)
        assert piece[:first] == TABLE[at:at + first], got
        assert piece[first:size] == TABLE[:size - first], got
        got += size
    return got


def connect(to=OURS):
    return socket.create_connection((to, PORT), timeout=WAIT_S)


def boot(folder, elf, more="", *words):
    machine = tap.Machine(folder, *words, "-kernel", elf, "-append",
                          f"ports=1 ip={OURS}:::255.255.255.0{more}")
    machine.console.wait_for(rf"net port=0 ip={OURS} state=ready", 20)
    return machine


def some(folder, elf, mib=24):
    """The beginning, past the table's end; then the reader has had enough and breaks it off. The
    next one begins at the beginning, and five at once do."""
    machine = boot(folder, elf)
    for _ in range(2):
        with connect() as stream:
            assert read(stream, mib) == mib * MIB
    results = []

    def one():
        with connect() as stream:
            results.append(read(stream, 2))

    readers = [threading.Thread(target=one) for _ in range(5)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join(WAIT_S)
    assert results == [2 * MIB] * 5
    machine.stop()


def stopped(folder, elf):
    """The machine stops while most of what was given has not left, and nobody reads any more."""
    machine = boot(folder, elf)
    with connect() as stream:
        assert read(stream, 1) == MIB
        machine.stop()


def jumbo(folder, elf):
    """Headers name 8,948 bytes each."""
    tap.run("ip link set tap0 mtu 9000")
    machine = boot(folder, elf, " frame_max=9014 mtu=9000")
    with connect() as stream:
        assert read(stream, 40) == 40 * MIB
    machine.stop()


def six(folder, elf):
    """By IPv6, whose segments take the steps one by one."""
    tap.run("ip addr add fe80::7/64 dev tap0 nodad")  # Linux's own is still asked for
    machine = boot(folder, elf)
    line = machine.console.wait_for(r"net port=0 ip=(fe80::\S+) state=ready", 20, since=0)
    with connect(f"{line.group(1)}%tap0") as stream:
        assert read(stream, 20) == 20 * MIB
    machine.stop()


def two_cores(folder, elf):
    """One receive queue: the core without one serves its part, from a pin of its own."""
    machine = boot(folder, elf, "", "-smp", "2")
    streams = [connect() for _ in range(16)]
    for stream in streams:
        with stream:
            assert read(stream, 1) == MIB
    machine.console.send("net")
    machine.console.wait_for(r"net core=1 tcp_passive_opens=\d+", 10)
    machine.stop()


def whole(folder, elf):
    """The GiB that was given in one call, and the end."""
    machine = boot(folder, elf)
    with connect() as stream:
        assert read(stream, WHOLE_MIB + 1) == WHOLE_MIB * MIB
    machine.console.send("net")
    machine.console.wait_for(r"net core=0 tcp_out_segs=\d+", 10)
    machine.stop()


def main(elf, case):
    tap.make()
    with tempfile.TemporaryDirectory() as folder:
        globals()[case](pathlib.Path(folder), elf)
    tap.finish()


main(*sys.argv[1:])
