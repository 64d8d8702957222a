#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""16 MiB to the echo image and back, over each card, by both families: run by test_net_cards.py
as `cards_peer.py ECHO.elf NIC CORES [CARDS]` in a namespace of its own. CARDS is the server of
software cards, for NIC ixgbe.
"""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from rig.machine import command, qemu11, vfio  # noqa: E402  (needs the path above)
from rig.machine.console import Console  # noqa: E402
from tests.rig import streams  # noqa: E402
from tests.rig.tap import PATIENCE, finish, pings, run  # noqa: E402

OURS, PEER = "192.0.2.1", "192.0.2.2"
OURS6, PEER6 = "2001:db8::1", "2001:db8::2"
WAIT_S = 60 * PATIENCE
MEMORY_MIB = 256
STREAMS, STREAM_BYTES = 8, 2 << 20  # 16 MiB; so many that every core has some
ARGS = f"ports=1 queues=0 ip={OURS}:::255.255.255.0 ip6={OURS6}/64 promiscuous=off"


@contextlib.contextmanager
def card(nic, program):
    """QEMU's words for a card on tap0, and the QEMU that can take it."""
    if nic == "e1000e":
        yield [command.QEMU, "-machine", "q35", "-m", str(MEMORY_MIB),
               "-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
               "-device", "e1000e,netdev=n0"]
        return
    with tempfile.TemporaryDirectory() as folder, \
            vfio.Cards(program, folder, ["tap:tap0"]) as cards:
        yield [qemu11.get(), *cards.qemu_options(MEMORY_MIB)]


@contextlib.contextmanager
def machine(elf, words, cores):
    """The image, listening; stopped at the end with every buffer home."""
    process = subprocess.Popen(
        [*words, "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", cores, "-nodefaults",
         "-display", "none", "-no-reboot", "-serial", "stdio", "-kernel", elf, "-append", ARGS],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        console = Console(process.stdout.fileno(), process.stdin.fileno(), patience=PATIENCE)
        for address in (OURS, OURS6):
            console.wait_for(rf"net port=0 ip={address}\S* state=ready", 20)
        yield console
        console.send("net")
        console.send("stop")
        said = console.wait_for(r"exit code=(\d+)", 20)
        process.wait(WAIT_S)
        print("\n".join(line for line in console.lines if line.startswith(("net ", "core"))))
        assert said.group(1) == "0", "\n".join(console.lines[-30:])
    finally:
        process.kill()
        process.wait()


def all_streams(address):
    """All at once; each comes back as it was."""
    def one(number):
        streams.echoed(address, STREAM_BYTES, number, WAIT_S)
        good.append(number)
    good = []
    threads = [threading.Thread(target=one, args=(number,)) for number in range(STREAMS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(good) == STREAMS, f"{address}: of {STREAMS} streams {sorted(good)} came back whole"


def main(elf, nic, cores, program=None):
    run("ip link set lo up")
    run("ip tuntap add tap0 mode tap")
    run(f"ip address add {PEER}/24 dev tap0")
    run(f"ip address add {PEER6}/64 dev tap0 nodad")
    run("ip link set tap0 up")
    with card(nic, program) as words, machine(elf, words, cores):
        for address in (OURS, OURS6):
            assert pings(address), address
            all_streams(address)
    finish()


main(*sys.argv[1:])
