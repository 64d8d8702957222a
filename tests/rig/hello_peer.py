#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Streams and datagrams of an image, from Linux: run by test_hello.py as `hello_peer.py IMAGE
CASE` in a namespace of its own.
"""
import pathlib
import random
import re
import socket
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.rig import tap  # noqa: E402  (needs the path above)

OURS, EVERYBODY = "192.168.7.9", "192.168.7.255"
WAIT_S = 60


def streams(address=OURS):
    """A line for each that connects, then the end; who talks meanwhile is not broken off."""
    for _ in range(20):
        with socket.create_connection((address, 13), timeout=WAIT_S) as stream:
            stream.sendall(b"hello?")
            said = b""
            while piece := stream.recv(100):
                said += piece
            assert re.fullmatch(rb"up_ms=\d+\r\n", said), said


def datagrams(address=OURS, sizes=(*range(20), 511, 512, 513, 1471, 1472)):
    """Every length comes back as it was, from where it was sent to; an empty one, too."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(WAIT_S)
        for size in sizes:
            data = random.Random(size).randbytes(size)
            wire.sendto(data, (address, 7))
            back, sender = wire.recvfrom(65536)
            assert (back, sender) == (data, (address, 7)), size


def to_all():
    """What is sent to everybody is answered from our own address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(WAIT_S)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        wire.sendto(b"who?", (EVERYBODY, 7))
        assert wire.recvfrom(100) == (b"who?", (OURS, 7))


def nobody():
    """A port that nobody has is said so: Linux tells it to who is connected."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(WAIT_S)
        wire.connect((OURS, 9))
        wire.send(b"anybody?")
        try:
            wire.recv(100)
        except ConnectionRefusedError:
            return
    raise AssertionError("an answer")


def plain(folder, elf):
    machine = tap.Machine(folder, "-kernel", elf, "-append", f"ports=1 ip={OURS}:::255.255.255.0")
    machine.console.wait_for(rf"net port=0 ip={OURS} state=ready", 20)
    for part in (streams, datagrams, to_all, nobody):
        part()
    machine.console.send("net")
    machine.console.wait_for(rf"net core=0 port=0 ip={OURS}/24 gateway=none mtu=1500 dhcp=off", 10)
    machine.console.wait_for(r"net core=0 udp_no_ports=1", 10)
    machine.stop()


def jumbo(folder, elf):
    """Packets of 9000 bytes, in chains of buffers."""
    tap.run("ip link set tap0 mtu 9000")
    machine = tap.Machine(folder, "-kernel", elf, "-append",
                          f"ports=1 frame_max=9014 mtu=9000 ip={OURS}:::255.255.255.0")
    machine.console.wait_for(rf"net port=0 ip={OURS} state=ready", 20)
    streams()
    datagrams(OURS, (0, 1, 1472, 2048, 4096, 8971, 8972))
    machine.stop()


def two_ports(folder, elf, *options, cores=1):
    """Two ports, an address each and two of one; answers come from the one asked."""
    tap.run("ip tuntap add tap1 mode tap")
    tap.run("ip address add 192.168.8.1/24 dev tap1")
    tap.run("ip link set tap1 up")
    mask = "255.255.255.0"
    machine = tap.Machine(
        folder, *options, "-kernel", elf, "-append", f"ports=3 cores={cores}"
        f" ip={OURS}:::{mask},192.168.8.9:::{mask},192.168.8.10:::{mask}::1",
        "-netdev", "tap,id=n1,ifname=tap1,script=no,downscript=no", "-device", "e1000e,netdev=n1")
    for address in (OURS, "192.168.8.9", "192.168.8.10"):
        machine.console.wait_for(rf"net port=\d ip={address} state=ready", 20)
        datagrams(address, (1, 100, 1472))
        assert tap.pings(address)
        streams(address)
    machine.console.send("net")
    for core in range(cores):
        for port, address in ((0, OURS), (1, "192.168.8.10")):
            machine.console.wait_for(rf"net core={core} port={port} ip={address}/24", 10)
    machine.stop()


def two_cores(folder, elf):
    """The first stack of one port is on one core, that of the other on the other."""
    two_ports(folder, elf, "-smp", "2", cores=2)


def stop(folder, elf):
    """The stop ends connections in order: who is there reads the end; who closes then lets the
    machine stop at once; who does not is reset a second later."""
    for closes in (True, False):
        machine = tap.Machine(folder, "-kernel", elf, "-append",
                              f"ports=1 ip={OURS}:::255.255.255.0")
        machine.console.wait_for(rf"net port=0 ip={OURS} state=ready", 20)
        stream = socket.create_connection((OURS, 7), timeout=WAIT_S)
        stream.sendall(b"before")
        assert stream.recv(100) == b"before"
        machine.console.send("stop")
        assert stream.recv(100) == b"", "the end"
        if closes:
            stream.close()
        assert machine.console.wait_for(r"exit code=(\d+)", 20).group(1) == "0"
        machine.process.wait(WAIT_S)
        if not closes:
            try:
                stream.sendall(b"after")
                assert not stream.recv(100)
                raise AssertionError("not reset")
            except (ConnectionResetError, BrokenPipeError):
                pass


def main(elf, case):
    tap.make()
    with tempfile.TemporaryDirectory() as folder:
        globals()[case](pathlib.Path(folder), elf)
    tap.finish()


main(*sys.argv[1:])
