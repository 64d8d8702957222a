# SPDX-License-Identifier: BSD-2-Clause
"""Other people's drivers on the software 82599: Linux ixgbe, iPXE intelx, DPDK testpmd."""
import hashlib
import os
import re
import subprocess

import pytest

from rig import unpack
from rig.machine import guest, qemu11, vfio

IPXE = "/boot/ipxe.lkrn"
GUEST_S = 180
DPDK_PACKAGES = ("dpdk-dev", "librte-mempool-ring23", "librte-net-ixgbe23")
DPDK_SUITES = ("bookworm",)
WAIT_CARRIER = """
ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
for i in 1 2 3 4 5 6 7 8 9 10; do
    [ "$(cat /sys/class/net/eth0/carrier)" = 1 ] && break
    sleep 0.3
done
echo carrier=$(cat /sys/class/net/eth0/carrier) speed=$(cat /sys/class/net/eth0/speed)
"""


@pytest.fixture(scope="session")
def qemu():
    """A QEMU with vfio-user, unpacked at the first use."""
    try:
        return qemu11.get()
    except qemu11.SetupError as error:
        pytest.skip(f"no QEMU >= 10.1: {error}")


@pytest.fixture(scope="session")
def kernel():
    try:
        return guest.kernel()
    except guest.GuestError as error:
        pytest.skip(f"no guest kernel: {error}")


@pytest.fixture(scope="session")
def dpdk_root():
    """Folder with Debian's DPDK and its libraries, unpacked at the first use."""
    folder = unpack.cache_dir("dpdk")
    root = os.path.join(folder, "root")
    if not os.path.exists(os.path.join(root, "usr/bin/dpdk-testpmd")):
        try:
            unpack.packages(DPDK_SUITES, DPDK_PACKAGES, folder,
                            os.path.join(folder, "setup.log"))
        except unpack.SetupError as error:
            pytest.skip(f"no DPDK: {error}")
    return root


@pytest.fixture
def cards(build_dir, tmp_path):
    """cards(["gen:60"]) starts the server; it ends with the test."""
    started = []

    def start(backends, options=""):
        started.append(vfio.Cards(str(build_dir / "model" / "millrace-nic82599"),
                                  str(tmp_path), backends, options=options))
        return started[-1]
    yield start
    for one in started:
        one.close()


def user_network(stream, more=""):
    """QEMU's own small network (DHCP, TFTP, TCP) at the other end of a card's cable."""
    return ["-netdev", "user,id=user" + more,
            "-netdev", f"stream,id=cable,server=off,addr.type=unix,addr.path={stream}",
            "-netdev", "hubport,id=hub0,hubid=0,netdev=user",
            "-netdev", "hubport,id=hub1,hubid=0,netdev=cable"]


def run(qemu, cards, options, cores=1, memory_mib=512, machine="q35"):
    """A machine with the cards, until it powers off. Returns its console."""
    command = [qemu, *cards.qemu_options(memory_mib, machine), "-nodefaults", "-display", "none",
               "-serial", "stdio", "-no-reboot", "-cpu", "max", "-smp", str(cores), *options]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=GUEST_S, check=False)
    text = done.stdout.decode(errors="replace")
    assert "guest state=done" in text, text[-3000:]
    return text


def linux(kernel, initrd, append=""):
    return ["-kernel", kernel.image, "-initrd", str(initrd),
            "-append", "console=ttyS0 quiet panic=-1 " + append]


@pytest.mark.parametrize("device,append,cores,interrupts", [
    ("10fb", "", 2, r"eth0-TxRx-1"),
    ("10fb", "pci=nomsi", 1, r"IO-APIC .* eth0"),
    ("1528", "", 1, r"eth0-TxRx-0"),
])
def test_linux_ixgbe(qemu, kernel, cards, tmp_path, device, append, cores, interrupts):
    """Debian's driver brings the card up and pings through it, with each kind of interrupt."""
    stream, initrd = str(tmp_path / "cable"), tmp_path / "initrd"
    server = cards(["stream:" + stream], f"id={device},link_ms=200")
    guest.initramfs(initrd, kernel, WAIT_CARRIER + """
        ping -c 5 -i 0.2 10.0.2.2
        grep eth0 /proc/interrupts
        dmesg | grep -i -E "ixgbe .*(hang|reset adapter|checksum)|nobody cared"
        """, modules=["ixgbe"])
    text = run(qemu, server, linux(kernel, initrd, append) + user_network(stream), cores)
    assert "carrier=1 speed=10000" in text
    assert "5 packets received" in text
    assert re.search(interrupts, text)
    assert not re.search(r"Tx Unit Hang|reset adapter|nobody cared|checksum is not", text, re.I)
    report = server.report(0)
    assert report["bad_descs"] == report["dma_errors"] == report["bad_tails"] == 0


def test_linux_tcp(qemu, kernel, cards, tmp_path):
    """10 MiB each way by TCP: receive checksums, transmit checksums and segmentation."""
    stream, initrd, back = str(tmp_path / "cable"), tmp_path / "initrd", tmp_path / "back"
    data = os.urandom(1 << 20) * 10
    (tmp_path / "data").write_bytes(data)
    server = cards(["stream:" + stream])
    guest.initramfs(initrd, kernel, WAIT_CARRIER + """
        nc 10.0.2.100 81 > /tmp/data < /dev/null
        nc 10.0.2.100 80 < /tmp/data
        sleep 1
        """, modules=["ixgbe"])
    more = (f",guestfwd=tcp:10.0.2.100:81-cmd:cat {tmp_path}/data"
            f",guestfwd=tcp:10.0.2.100:80-cmd:sh -c 'cat > {back}'")
    run(qemu, server, linux(kernel, initrd) + user_network(stream, more))
    assert hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256(data).digest()
    report = server.report(0)
    assert report["tx_contexts"] > 0
    assert report["bad_descs"] == report["dma_errors"] == report["backend_lost"] == 0


@pytest.mark.skipif(not os.path.exists(IPXE), reason=f"{IPXE} is not here (package ipxe)")
def test_ipxe_intelx(qemu, kernel, cards, tmp_path):
    """iPXE boots Linux over the card, and that Linux drives the same card."""
    stream, tftp = str(tmp_path / "cable"), tmp_path / "tftp"
    tftp.mkdir()
    server = cards(["stream:" + stream])
    guest.initramfs(tftp / "initrd", kernel, WAIT_CARRIER + "ping -c 3 -i 0.2 10.0.2.2\n",
                    modules=["ixgbe"])
    (tftp / "vmlinuz").symlink_to(kernel.image)
    script = tmp_path / "boot.ipxe"
    script.write_text("#!ipxe\ndhcp net0 || poweroff\nshow net0/chip\n"
                      "kernel tftp://10.0.2.2/vmlinuz console=ttyS0 quiet initrd=initrd\n"
                      "initrd tftp://10.0.2.2/initrd\nboot || poweroff\n")
    text = run(qemu, server, ["-kernel", IPXE, "-initrd", str(script),
                              *user_network(stream, f",tftp={tftp}")],
               machine="q35,graphics=off")
    assert "82599-sfp" in text
    assert "3 packets received" in text


def test_dpdk_testpmd(qemu, kernel, cards, dpdk_root, tmp_path):
    """Debian's testpmd forwards a flood; every frame that returns is compared."""
    initrd = tmp_path / "initrd"
    plugins = "usr/lib/x86_64-linux-gnu/dpdk/pmds-23.0/"
    files = guest.program(os.path.join(dpdk_root, "usr/bin/dpdk-testpmd"), dpdk_root,
                          [plugins + "librte_mempool_ring.so.23"])
    guest.initramfs(initrd, kernel, """
        mkdir -p /var/run /dev/hugepages
        mount -t hugetlbfs none /dev/hugepages
        echo 8086 10fb > /sys/bus/pci/drivers/uio_pci_generic/new_id
        dpdk-testpmd --no-telemetry --in-memory -d librte_mempool_ring.so.23 -l 0-1 -n 1 -- \\
            --forward-mode=macswap --auto-start --total-num-mbufs=8192 --stats-period 1 \\
            < /dev/null &
        sleep 12
        kill -INT $!
        wait
        dmesg | grep "nobody cared"
        """, modules=["uio_pci_generic"], files=files)
    server = cards(["gen:60"])
    text = run(qemu, server, linux(kernel, initrd, "hugepages=128"), cores=2, memory_mib=1024)
    assert "Bye..." in text and "nobody cared" not in text
    report = server.report(0)
    assert report["backend_out"] > 10000
    assert report["corrupt"] == report["reordered"] == report["foreign"] == 0
    assert report["bad_descs"] == report["dma_errors"] == 0
