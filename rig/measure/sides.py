# SPDX-License-Identifier: BSD-2-Clause
"""The two systems that are compared: our image, and Linux with DPDK's testpmd, on the same QEMU
machine and doing the same work (macswap)."""
import os
import re
import time

from .. import build, unpack
from ..apps import L2FWD
from ..machine import command, guest
from ..machine.elf import Elf
from ..machine.qemu import Machine
from ..options import NICS
from . import count
from .generator import BOTH_WAYS, Traffic
from .image import image_base, pools_full, read_report, stop_machine

APP = L2FWD
DPDK_CARDS = {"e1000e": ("8086 10d3", "librte_net_e1000.so.23"),
              "ixgbe": ("8086 10fb", "librte_net_ixgbe.so.23")}
assert set(DPDK_CARDS) == set(NICS)
SUITES = ("bookworm",)  # DPDK 22.11, a long-term release
PACKAGES = ("dpdk-dev", "librte-mempool-ring23", "librte-net-ixgbe23", "librte-net-e1000-23")
PLUGINS = f"usr/lib/{unpack.TRIPLET}/dpdk/pmds-23.0/"
SCRIPT = build.ROOT / "compare" / "dpdk" / "guest" / "testpmd.sh"
HUGE_PAGES = 24         # of 2 MiB: as few as testpmd starts and forwards with
APPEND = "console=ttyS0 quiet panic=-1 mitigations=off hugepages={}"
MODE, DESCS, BURST = "macswap", 512, 32
MBUFS = 8192
# Counting: rings that all frames in flight do not fill, so that no side tries again at a full one.
COUNT_DESCS, COUNT_MBUFS, COUNT_HUGE_PAGES = count.TX_DESCS, 16384, 64
FULL_BATCH_LEAST = 24   # below that the usual iteration at saturation is no full burst
CORES, MEMORY_MIB = 2, 1024
BOOT_S = 180
SETTLE_S = 0.3
NAMES = {"ours": "millrace", "dpdk": "Linux + DPDK"}
RETRY = "dpdk_retry"    # testpmd that keeps what a full transmit ring does not take, as ours
SAID = {**NAMES, RETRY: "DPDK, retry"}


class CompareError(RuntimeError):
    """The comparison could not be made."""


class Ours:
    """Our l2fwd image: one forwarding core of the machine's two, as testpmd has."""
    name = "ours"

    def __init__(self, build_dir, nic):
        self.image, self.nic = build.find_image(build_dir, APP.name), nic
        self.bytes = os.path.getsize(os.path.splitext(self.image)[0] + ".img")

    def machine(self, plugin=None):
        descs = COUNT_DESCS if plugin else DESCS
        poll = " poll=always" if plugin else ""
        args = f"mode={MODE} cores=1 batch={BURST} rx_descs={descs} tx_descs={descs}{poll}"
        return Machine(self.image, args=args, cores=CORES, memory_mib=MEMORY_MIB, nic=self.nic,
                       plugin=plugin)

    def _image(self, machine):
        return Elf(self.image), image_base(machine, BOOT_S)

    def head(self, machine, _counts, _flood):
        elf, base = self._image(machine)
        return base + elf.offset(APP.head)

    def check_busy(self, machine, busy):
        """Refuses counts of a transmit ring that was full."""
        if count.ring_was_full(APP, count.by_function(busy, *self._image(machine))):
            raise CompareError("the image's transmit ring was full while it was counted")

    def per_packet(self, found):
        """At full bursts, by the mean turns: of two runs, a straight line."""
        return found["per_packet_mean"]

    def interrupts(self, machine):
        """Interrupts since the start (all cores)."""
        return sum(core["irqs"] for core in read_report(machine)["cores"])

    def memory_kb(self, machine):
        """What the machine's memory misses: firmware, image, page tables, stacks, pools, rings."""
        return (MEMORY_MIB << 10) - (read_report(machine)["memory_free_bytes"] >> 10)

    def finish(self, machine):
        """Ends a run; raises when the image did not end as it should."""
        last, pools, code = stop_machine(machine)
        if code or last["owner_refusals"] or not pools_full(pools):
            raise CompareError(f"the image stopped with code {code}, {pools}")


class Dpdk:
    """Debian's kernel and testpmd, in an initramfs made here."""
    name = "dpdk"
    settings = {"DESCS": DESCS, "MBUFS": MBUFS, "RETRY": ""}

    def __init__(self, build_dir, folder, nic):
        self.build_dir, self.nic = build_dir, nic
        root, kernel = dpdk_root(), guest.kernel()
        card, plugin = DPDK_CARDS[nic]
        self.kernel, self.version = kernel, kernel.version
        words = {"ID": card, "PMD": f"-d {plugin}", "MODE": MODE, "BURST": BURST}
        self.initrd = os.path.join(folder, f"initrd-{self.name}-{nic}")
        self.count_initrd = self.initrd + "-count"
        files = guest.program(os.path.join(root, "usr/bin/dpdk-testpmd"), root,
                              [PLUGINS + "librte_mempool_ring.so.23", PLUGINS + plugin])
        counting = {**self.settings, "DESCS": COUNT_DESCS, "MBUFS": COUNT_MBUFS}
        for path, settings in ((self.initrd, self.settings), (self.count_initrd, counting)):
            guest.initramfs(path, kernel, script_of({**words, **settings}), ["uio_pci_generic"],
                            files)
        self.bytes = os.path.getsize(kernel.image) + os.path.getsize(self.initrd)

    def machine(self, plugin=None):
        append = APPEND.format(COUNT_HUGE_PAGES if plugin else HUGE_PAGES)
        initrd = self.count_initrd if plugin else self.initrd
        return Machine(self.kernel.image, instead=guest.boot_by(self.kernel, initrd, append),
                       cards=str(self.build_dir / command.CARDS), cores=CORES,
                       memory_mib=MEMORY_MIB, nic=self.nic, plugin=plugin)

    def head(self, _machine, counts, flood):
        return count.hottest_block(counts, flood)

    def check_busy(self, _machine, _busy):
        """What a full ring costs testpmd is nothing: it frees what the ring does not take."""

    def per_packet(self, found):
        """At full bursts, by the usual turn: Linux's timer ticks are in the mean ones."""
        full = found["batch"] >= FULL_BATCH_LEAST
        return round(found["full"] / BURST, 1) if full else found["per_packet_mean"]

    def counters(self, machine):
        """Linux's own counters, by name."""
        mark = machine.console.mark()
        machine.console.send("counters")
        line = machine.console.wait_for(r"counters \S+ .*available_kb=\d+", 15, since=mark)
        return {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", line.group(0))}

    def interrupts(self, machine):
        return self.counters(machine)["interrupts"]

    def memory_kb(self, machine):
        """What the machine's memory misses: kernel, initramfs, huge pages, processes."""
        return (MEMORY_MIB << 10) - self.counters(machine)["available_kb"]

    def finish(self, machine):
        """Nothing to check: the machine is ended."""


class DpdkRetry(Dpdk):
    """testpmd that tries again when a transmit ring is full, for 64 us, before it drops."""
    name = RETRY
    settings = {**Dpdk.settings, "RETRY": "retry"}


def script_of(words):
    """What the guest runs, its words filled in."""
    script = SCRIPT.read_text(encoding="utf-8")
    for word, value in words.items():
        script = script.replace(f"@{word}@", str(value))
    return script


def dpdk_root():
    """Folder with Debian's DPDK, unpacked at the first use."""
    folder = unpack.cache_dir("dpdk-compare")
    root = os.path.join(folder, "root")
    if not os.path.exists(os.path.join(root, PLUGINS, DPDK_CARDS["e1000e"][1])):
        os.makedirs(folder, exist_ok=True)
        unpack.packages(SUITES, PACKAGES, folder, os.path.join(folder, "setup.log"))
    return root


class Side:
    """A running machine of one of the two, with its traffic program."""

    def __init__(self, kind, program, plugin=None):
        self.kind, self.name = kind, kind.name
        self.machine = kind.machine(plugin).start()
        self.traffic = None
        try:
            self.traffic = Traffic(program, self.machine, lanes=BOTH_WAYS, mode=MODE)
            answer = self.traffic.probe(timeout_s=BOOT_S, lanes="0>1", flows=1)
            self.first_ms = 1e3 * (answer["first_received_ns"] / 1e9 - self.machine.started_at)
            self.traffic.probe(timeout_s=30, lanes="1>0", flows=1)
        except BaseException as error:
            tail = "\n".join(self.machine.console.lines[-15:])
            self.close()
            raise CompareError(f"{SAID[kind.name]} did not forward: {error}\n{tail}") from error

    def pause(self):
        self.machine.qmp("stop")

    def resume(self):
        self.machine.qmp("cont")
        time.sleep(SETTLE_S)

    def close(self):
        if self.traffic:
            self.traffic.close()
        self.machine.close()
