# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace boot --serve IF` on a network of its own, with somebody else's DHCP server.

Each test starts itself again in a network namespace (no root needed): tests/rig/lan.py.
"""
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import sys
import time

import pytest

MAC = "52:54:00:aa:bb:cc"
X86, OTHER = (0, 7, 9), (6, 10, 11, 15)  # RFC 4578 2.1; 6: 32-bit UEFI, 10, 11: ARM, 15: HTTP
ANSWER_S = 2


@pytest.fixture(name="img")
def _img(image):
    return os.path.splitext(image("l2fwd"))[0] + ".img"


def test_serve_refuses_what_firmware_cannot_load(image, tmp_path):
    from rig.commands import serve
    with pytest.raises(serve.ServeError, match="NAME.img"):
        serve.fill_folder(tmp_path, image("l2fwd"), "", "192.168.7.1")


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_serve_boots_a_machine(img, firmware):
    from tests.rig import lan
    lan.need("dnsmasq", tap=True)
    lan.again_in_namespace(__file__, "boots", img, firmware)


@pytest.mark.parametrize("case", ["signals", "killed", "second", "port_in_use", "private",
                                  "architectures", "macs", "dnsmasq_fails"])
def test_serve_is_a_good_neighbour(img, case):
    from tests.rig import lan
    lan.need("dnsmasq")
    lan.again_in_namespace(__file__, case, img)


def test_wrong_interface_says_so(img, capsys):
    from rig.commands import serve
    assert serve.serve("no-such-if", img, "", True) == 2
    assert "no network interface no-such-if" in capsys.readouterr().err


@pytest.mark.parametrize("args", ["a=#1", "a=1 && b", "a=1 || b", "a=${net0/ip}", "a=\u00fc"])
def test_args_that_a_script_would_cut(img, capsys, args):
    from rig.commands import serve
    assert serve.serve("lo", img, args, True) == 2
    assert "--args: " in capsys.readouterr().err


def test_wrong_mac_says_so(img, capsys):
    from rig.commands import serve
    assert serve.serve("lo", img, "", True, ["52:54:00:aa:bb"]) == 2
    assert "--mac 52:54:00:aa:bb: wanted is" in capsys.readouterr().err


def test_folder_that_nobody_can_enter(img, capsys, tmp_path, monkeypatch):
    from rig.commands import serve
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(serve, "RUN_FOLDER", str(closed))
    assert serve.serve("lo", img, "", True) == 2
    assert "is closed to other users" in capsys.readouterr().err
    assert not list(closed.iterdir()), "what was made is removed"


# ---- inside the namespace ----

def folder_of(server):
    from tests.rig import lan
    line = lan.read_until(server, "serve folder=")[-1]
    return pathlib.Path(re.match(r"serve folder=(\S+)", line).group(1))


def running(img, **options):
    """(server, folder) of a server that serves."""
    from tests.rig import lan
    server = lan.serve(img, **options)
    folder = folder_of(server)
    lan.read_until(server, "state=running")
    return server, folder


def port_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
            return True
        except OSError:
            return False


def wait_until(what, limit_s=10):
    deadline = time.monotonic() + limit_s
    while not what():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def signals(img):
    """A closed terminal ends everything, as SIGTERM and Ctrl-C do."""
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
        server, folder = running(img)
        assert not port_free(67)
        server.send_signal(number)
        assert server.wait(10) == 0
        assert port_free(67) and not folder.exists()


def killed(img):
    """Even then nobody answers the machines of this network any more."""
    server, folder = running(img)
    server.kill()
    server.wait()
    wait_until(lambda: port_free(67) and not folder.exists())


def second(img):
    """On the same interface: it says who is there, and the first goes on."""
    from tests.rig import lan
    server, _ = running(img)
    other = lan.serve(img)
    said = other.communicate(timeout=30)[0]
    assert other.returncode == 2
    assert f"br0 is served already, by process {server.pid}:" in said, said
    assert server.poll() is None and not port_free(67)
    server.terminate()
    assert server.wait(10) == 0


def port_in_use(img):
    """The lines are for the server that is there; --interface and the range are its own."""
    from tests.rig import lan
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("", 67))
        server = lan.serve(img)
        said = server.communicate(timeout=30)[0]
        assert server.returncode == 2
        assert re.search(r"port 67 of br0 is in use \(python3?[^,]*, process \d+\)", said), said
        assert "    dhcp-match=set:x86,option:client-arch,7\n" in said
        assert "    tftp-root=FOLDER\n" in said and "state=running" not in said
    lan.run("ip link add other type bridge")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:  # on another network
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as DHCP servers do
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"other")
        there.bind(("", 67))
        server, _ = running(img)
        server.terminate()
        assert server.wait(10) == 0


def private(img):
    """A user's umask keeps nothing from the machines; cleaners see a lock."""
    os.umask(0o077)
    server, folder = running(img)
    assert folder.stat().st_mode & 0o777 == 0o755
    for file in folder.glob("*.ipxe"):
        assert file.stat().st_mode & 0o777 == 0o644, file
    locked = subprocess.run(["flock", "--exclusive", "--nonblock", str(folder), "true"],
                            check=False)
    assert locked.returncode == 1
    server.terminate()
    assert server.wait(10) == 0


def dnsmasq_fails(img):
    """No word of running when dnsmasq could not start."""
    from tests.rig import lan
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind(("192.168.7.1", 69))  # TFTP
        server = lan.serve(img)
        said = server.communicate(timeout=30)[0]
    assert server.returncode == 2 and "state=running" not in said, said
    assert "dnsmasq ended at once: dnsmasq: " in said


def discover(arch, mac):
    """A DHCPDISCOVER of PXE firmware, RFC 2131 and the PXE specification 2.1."""
    options = (b"\x63\x82\x53\x63" + b"\x35\x01\x01" + b"\x3c\x20"
               + f"PXEClient:Arch:{arch:05}:UNDI:003016".encode()
               + b"\x5d\x02" + struct.pack("!H", arch) + b"\x5e\x03\x01\x03\x10"
               + b"\x61\x11\x00" + bytes(16) + b"\x37\x04\x01\x03\x3c\x43" + b"\xff")
    mac = bytes.fromhex(mac.replace(":", ""))
    return (b"\x01\x01\x06\x00" + os.urandom(4) + b"\x00\x00\x80\x00" + bytes(16)
            + mac + bytes(10) + bytes(192) + options)


def client():
    """A host that sends a DISCOVER for each line `ARCH MAC`, and prints how many answered."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"v1")
        wire.bind(("", 68))
        for line in sys.stdin:
            arch, mac = line.split()
            message = discover(int(arch), mac)
            wire.sendto(message, ("255.255.255.255", 67))
            wire.settimeout(ANSWER_S)
            answers = 0
            try:
                while True:
                    answers += wire.recv(2048)[4:8] == message[4:8]
            except TimeoutError:
                print(answers, flush=True)


def offers(asker, arch, mac=MAC):
    asker.stdin.write(f"{arch} {mac}\n")
    asker.stdin.flush()
    return int(asker.stdout.readline())


def new_client():
    from tests.rig import lan
    asker = lan.host(11, f"{sys.executable} {__file__} client", text=True,
                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    return asker


def architectures(img):
    """Who cannot run the image gets no word from us."""
    asker = new_client()
    server, _ = running(img)
    assert [offers(asker, arch) for arch in X86] == [1] * len(X86)
    assert [offers(asker, arch) for arch in OTHER] == [0] * len(OTHER)
    asker.kill()
    server.terminate()
    assert server.wait(10) == 0


def macs(img):
    """Only the machines that were named."""
    asker = new_client()
    server, _ = running(img, macs=["52-54-00-AA-BB-01", "52:54:00:aa:bb:02"])
    seen = [offers(asker, 0, f"52:54:00:aa:bb:0{n}") for n in (1, 2, 3)]
    assert seen == [1, 1, 0], seen
    assert offers(asker, 11, "52:54:00:aa:bb:01") == 0
    asker.kill()
    server.terminate()
    assert server.wait(10) == 0


def boot(img, firmware):
    from rig.machine.qemu import Machine
    # UEFI: the firmware's own PXE loads iPXE; BIOS: iPXE is the card's ROM.
    card = "virtio-net-pci,romfile=" if firmware == "uefi" else "e1000e"
    options = ["-netdev", "tap,id=boot,ifname=tap0,script=no,downscript=no",
               "-device", f"{card},netdev=boot,mac={MAC},bootindex=1"]
    with Machine(img, boot="uefi" if firmware == "uefi" else "linux", instead=options,
                 ports=0) as m:
        m.console.wait_for(rf'^boot cmdline="boot.mac={MAC} mode=io"', 200)
        m.console.wait_for(r"^module name=hello bytes=6 ", 10)
        assert m.console.find(rf"^boot entry={'efi' if firmware == 'uefi' else 'linux'} ")


def boots(img, firmware):
    from tests.rig import lan
    dhcp = lan.dhcp_server()
    server, folder = running(img)
    try:
        hyphens = MAC.replace(":", "-")
        (folder / "hello").write_bytes(b"hello\n")
        (folder / f"modules-{hyphens}.ipxe").write_text(
            "#!ipxe\ninitrd ${base}hello hello\n", encoding="ascii")
        boot(img, firmware)
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert not folder.exists(), "the served folder is removed"
    finally:
        for process in (server, dhcp):
            process.kill()
            process.wait()


def main(case, *words):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
    if case == "client":
        client()
        return
    from tests.rig import lan
    lan.bridge(taps=1 if case == "boots" else 0)
    globals()[case](*words)


if __name__ == "__main__":
    main(*sys.argv[1:])
