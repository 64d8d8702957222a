# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace boot --serve IF` on a network of its own, with somebody else's DHCP server.

The test starts itself again in a network namespace (no root needed): a bridge with the
served interface and QEMU's tap, and behind a veth a DHCP server that knows nothing of PXE.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAC = "52:54:00:aa:bb:cc"
DHCP = ("ip link set lo up; ip address add 192.168.7.2/24 dev v1; ip link set v1 up;"
        "exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=v1"
        " --bind-dynamic --dhcp-range=192.168.7.100,192.168.7.200,255.255.255.0 --user=root"
        " --group= --pid-file= --dhcp-leasefile=/dev/null")
# A namespace of one user has nobody to drop privileges to.
SERVE = """
import sys
from rig import serve
plain = serve.dnsmasq_command
serve.dnsmasq_command = lambda *a: plain(*a) + ["--user=root", "--group="]
sys.exit(serve.serve("br0", sys.argv[1], "mode=io", False))
"""


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")


def in_namespace(*command):
    return ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", *command]


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_serve_boots_a_machine(image, firmware):
    need("unshare", "dnsmasq", "ip", "nsenter")
    if subprocess.run(in_namespace("true"), capture_output=True, check=False).returncode != 0:
        pytest.skip("this system allows no user namespaces")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened")
    path = os.path.splitext(image("l2fwd"))[0] + ".img"
    done = subprocess.run(in_namespace(sys.executable, __file__, path, firmware), text=True,
                          capture_output=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_wrong_interface_says_so(image, capsys):
    from rig import serve
    path = os.path.splitext(image("l2fwd"))[0] + ".img"
    assert serve.serve("no-such-if", path, "", True) == 1
    assert "no network interface no-such-if" in capsys.readouterr().err


# ---- inside the namespace ----

def run(text):
    subprocess.run(text.split(), check=True)


def network():
    """br0 is what is served; returns the DHCP server's process."""
    run("ip link set lo up")
    run("ip link add br0 type bridge")
    run("ip address add 192.168.7.1/24 dev br0")
    run("ip link set br0 up")
    run("ip tuntap add tap0 mode tap")
    run("ip link set tap0 master br0 up")
    run("ip link add v0 type veth peer name v1")
    run("ip link set v0 master br0 up")
    holder = subprocess.Popen(["unshare", "--net", "sh", "-c",
                               "until ip link show v1 2>/dev/null; do sleep 0.1; done; "
                               + DHCP],
                              stdout=subprocess.DEVNULL)
    time.sleep(0.5)
    run(f"ip link set v1 netns {holder.pid}")
    return holder


def boot(image, firmware):
    sys.path.insert(0, str(ROOT))
    from rig import qemu
    from tests.rig.test_boot import OtherBoot
    # UEFI: the firmware's own PXE loads iPXE; BIOS: iPXE is the card's ROM.
    card = "virtio-net-pci,romfile=" if firmware == "uefi" else "e1000e"
    options = ["-netdev", "tap,id=boot,ifname=tap0,script=no,downscript=no",
               "-device", f"{card},netdev=boot,mac={MAC},bootindex=1"]
    with OtherBoot(image, options, uefi=firmware == "uefi", ports=0) as m:
        m.console.wait_for(rf'^boot cmdline="boot.mac={MAC} mode=io"', 200)
        m.console.wait_for(r"^module name=hello bytes=6 ", 10)
        assert m.console.find(rf"^boot entry={'efi' if firmware == 'uefi' else 'linux'} ")


def inside(image, firmware):
    dhcp = network()
    server = subprocess.Popen([sys.executable, "-c", SERVE, image], cwd=ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        line = server.stdout.readline()
        folder = pathlib.Path(re.match(r"serve folder=(\S+)", line).group(1))
        hyphens = MAC.replace(":", "-")
        (folder / "hello").write_bytes(b"hello\n")
        (folder / f"modules-{hyphens}.ipxe").write_text(
            "#!ipxe\ninitrd ${base}hello hello\n", encoding="ascii")
        while "state=running" not in line:
            line = server.stdout.readline()
            assert line, "the server ended"
        boot(image, firmware)
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert not folder.exists(), "the served folder is removed"
    finally:
        for process in (server, dhcp):
            process.kill()
            process.wait()


if __name__ == "__main__":
    inside(sys.argv[1], sys.argv[2])
