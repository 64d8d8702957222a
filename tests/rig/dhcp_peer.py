#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""dnsmasq and a machine on a TAP interface, in a namespace of our own: run by test_dhcp.py as
`dhcp_peer.py IMAGE CASE` (IMAGE without .elf and .img).
"""
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.rig import tap  # noqa: E402  (needs the path above)
from tests.rig.tap import Machine, pings, run  # noqa: E402

FIRST, SECOND = "192.168.7.100", "192.168.7.101"
READY = rf"net port=0 dhcp=bound ip=({FIRST}|{SECOND})/24 gateway=192.168.7.1 lease_s=(\d+)"


class Server:
    """dnsmasq with two addresses; what it said."""

    def __init__(self, folder, *options):
        self.leases = folder / "leases"
        self._log = folder / "log"
        self._process = subprocess.Popen(
            ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0",
             "--interface=tap0", "--bind-dynamic", f"--dhcp-range={FIRST},{SECOND},255.255.255.0",
             "--no-ping", "--user=root", "--group=", "--pid-file=", "--log-dhcp",
             f"--log-facility={self._log}", f"--dhcp-leasefile={self.leases}", *options])

    def said(self, text):
        """How many lines have it."""
        return sum(text in line for line in self._log.read_text(errors="replace").splitlines())

    def wait_for(self, text, count, limit_s):
        deadline = time.monotonic() + tap.PATIENCE * limit_s
        while self.said(text) < count:
            assert time.monotonic() < deadline, f"{text}: {self._log.read_text()[-3000:]}"
            time.sleep(0.1)

    def stop(self):
        self._process.kill()
        self._process.wait()


def direct(folder, image):
    """The machine, its image loaded by QEMU."""
    return Machine(folder, "-kernel", image + ".elf", "-append", "ports=1")


def lease(folder, image):
    """Asked, probed, bound; known to the server by type and MAC."""
    server, machine = Server(folder), direct(folder, image)
    address = machine.console.wait_for(READY, 30).group(1)
    assert pings(address)
    _, mac, leased, _, client = server.leases.read_text().split()
    assert (mac, leased, client) == (tap.MAC, address, f"01:{tap.MAC}")
    machine.stop()
    server.wait_for(f"DHCPRELEASE(tap0) {address}", 1, 10)
    server.stop()


def renewed(folder, image):
    """T1 is 5 s here: the server is asked for more time, and the connection knows nothing of it."""
    server = Server(folder, "--dhcp-option-force=option:T1,5", "--dhcp-option-force=option:T2,60")
    machine = direct(folder, image)
    address = machine.console.wait_for(READY, 30).group(1)
    with socket.create_connection((address, 7), timeout=60) as stream:
        server.wait_for(f"DHCPACK(tap0) {address}", 3, 30)
        stream.sendall(b"still here")
        assert stream.recv(100) == b"still here"
    assert server.said("DHCPDISCOVER") == 1
    machine.stop()
    server.stop()


def taken(folder, image):
    """Both addresses belong to another host, too, then one: declined, and asked for anew."""
    server = Server(folder)
    for address in (FIRST, SECOND):
        run(f"ip address add {address}/32 dev tap0")
    machine = direct(folder, image)
    machine.console.wait_for(r"net port=0 ip=\S+ warning=\"another host has it\"", 30)
    server.wait_for("DHCPDECLINE(tap0)", 1, 10)
    for address in (FIRST, SECOND):
        run(f"ip address del {address}/32 dev tap0")
    address = machine.console.wait_for(READY, 60).group(1)
    assert pings(address)
    machine.stop()
    server.stop()


def link(folder, image):
    """The cable is out for a while: the server is asked whether the address may still be used, and
    a connection goes on."""
    server, machine = Server(folder), direct(folder, image)
    address = machine.console.wait_for(READY, 30).group(1)
    with socket.create_connection((address, 7), timeout=60) as stream:
        machine.set_link("off")
        machine.console.wait_for(r"link=down|state=down", 10)
        stream.sendall(b"sent meanwhile")
        machine.set_link("on")
        server.wait_for(f"DHCPACK(tap0) {address}", 2, 30)
        assert stream.recv(100) == b"sent meanwhile"
    assert server.said("DHCPDISCOVER") == 1
    machine.stop()
    server.stop()


def pxe(folder, image):
    """iPXE gets an address, loads the image by it, and the image gets the same one."""
    (folder / "echo.img").write_bytes(pathlib.Path(image + ".img").read_bytes())
    (folder / "boot.ipxe").write_text(f"#!ipxe\nkernel echo.img ports=({tap.MAC})\nboot\n")
    server = Server(folder, "--enable-tftp", f"--tftp-root={folder}", "--dhcp-boot=boot.ipxe")
    machine = Machine(folder, "-boot", "n")
    seen = machine.console.wait_for(rf"net0: ({FIRST}|{SECOND})/255.255.255.0", 60)
    assert machine.console.wait_for(READY, 60).group(1) == seen.group(1)
    assert pings(seen.group(1))
    assert len(server.leases.read_text().splitlines()) == 1
    machine.stop()
    server.stop()


def cores(folder, image):
    """One client for two cores: each serves its part of the connections by the leased address."""
    server = Server(folder)
    machine = Machine(folder, "-smp", "2", "-kernel", image + ".elf", "-append", "ports=1")
    address = machine.console.wait_for(READY, 30).group(1)
    streams = [socket.create_connection((address, 7), timeout=60) for _ in range(40)]
    for stream in streams:
        stream.sendall(b"whoever serves me")
    for stream in streams:
        assert stream.recv(100) == b"whoever serves me"
        stream.close()
    machine.console.send("net")
    machine.console.wait_for(r"net core=0 tcp_passive_opens=[1-9]", 10)
    machine.console.wait_for(r"net core=1 tcp_passive_opens=[1-9]", 10)
    assert len(server.leases.read_text().splitlines()) == 1
    machine.stop()
    server.wait_for(f"DHCPRELEASE(tap0) {address}", 1, 10)
    server.stop()


def main(image, case):
    tap.make()
    with tempfile.TemporaryDirectory() as folder:
        try:
            globals()[case](pathlib.Path(folder), image)
        except BaseException:
            log = pathlib.Path(folder) / "log"
            print(log.read_text(errors="replace")[-4000:] if log.exists() else "no log")
            raise
    tap.finish()


main(*sys.argv[1:])
