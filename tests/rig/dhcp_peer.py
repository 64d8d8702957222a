#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""dnsmasq and a machine on a TAP interface, in a namespace of our own: run by test_dhcp.py as
`dhcp_peer.py IMAGE CASE` (IMAGE without .elf and .img).
"""
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from rig.machine.console import Console  # noqa: E402  (needs the path above)

MAC = "52:54:00:aa:bb:cc"
PEER, FIRST, SECOND = "192.168.7.1", "192.168.7.100", "192.168.7.101"
PATIENCE = 6  # waits say what an idle host needs
READY = rf"net port=0 dhcp=bound ip=({FIRST}|{SECOND})/24 gateway=192.168.7.1 lease_s=(\d+)"


def run(words):
    subprocess.run(words.split(), check=True)


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
        deadline = time.monotonic() + PATIENCE * limit_s
        while self.said(text) < count:
            assert time.monotonic() < deadline, f"{text}: {self._log.read_text()[-3000:]}"
            time.sleep(0.1)

    def stop(self):
        self._process.kill()
        self._process.wait()


class Machine:
    def __init__(self, folder, *options):
        self._monitor = folder / "monitor"
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-cpu", "max", "-m", "256", "-nographic", "-no-reboot",
             "-monitor", f"unix:{self._monitor},server=on,wait=off", "-serial", "stdio",
             "-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
             "-device", f"e1000e,netdev=n0,mac={MAC}", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                               patience=PATIENCE)

    def set_link(self, word):
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self._monitor))
            monitor.sendall(f"set_link n0 {word}\n".encode())
            time.sleep(0.2)

    def stop(self):
        self.console.send("stop")
        assert self.console.wait_for(r"exit code=(\d+)", 10).group(1) == "0"
        self.process.wait(60)


def pings(address):
    done = subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", address], capture_output=True,
                          text=True, timeout=60 * PATIENCE, check=False)
    return "3 received" in done.stdout


def direct(folder, image):
    """The machine, its image loaded by QEMU."""
    return Machine(folder, "-kernel", image + ".elf", "-append", "ports=1")


def lease(folder, image):
    """Asked, probed, bound; known to the server by type and MAC."""
    server, machine = Server(folder), direct(folder, image)
    address = machine.console.wait_for(READY, 30).group(1)
    assert pings(address)
    _, mac, leased, _, client = server.leases.read_text().split()
    assert (mac, leased, client) == (MAC, address, f"01:{MAC}")
    machine.stop()
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
    (folder / "boot.ipxe").write_text(f"#!ipxe\nkernel echo.img ports=({MAC})\nboot\n")
    server = Server(folder, "--enable-tftp", f"--tftp-root={folder}", "--dhcp-boot=boot.ipxe")
    machine = Machine(folder, "-boot", "n")
    seen = machine.console.wait_for(rf"net0: ({FIRST}|{SECOND})/255.255.255.0", 60)
    assert machine.console.wait_for(READY, 60).group(1) == seen.group(1)
    assert pings(seen.group(1))
    assert len(server.leases.read_text().splitlines()) == 1
    machine.stop()
    server.stop()


def main(image, case):
    for words in ("link set lo up", "tuntap add tap0 mode tap", f"address add {PEER}/24 dev tap0",
                  "link set tap0 up"):
        run(f"ip {words}")
    with tempfile.TemporaryDirectory() as folder:
        try:
            globals()[case](pathlib.Path(folder), image)
        except BaseException:
            log = pathlib.Path(folder) / "log"
            print(log.read_text(errors="replace")[-4000:] if log.exists() else "no log")
            raise
    print("done", flush=True)
    os._exit(0)  # the console's thread needs no end


main(*sys.argv[1:])
