# SPDX-License-Identifier: BSD-2-Clause
"""What a machine is to be, and the QEMU command line that makes it so."""
import dataclasses
import functools
import os
import pathlib
import shutil

from ..options import BOOTS
from . import cpio, pxe, qemu11, vfio

QEMU = "qemu-system-x86_64"
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
CARDS = "model/millrace-nic82599"  # the software cards' server, in a build directory
TEST_PORT_ADDR, BOOT_PORT_ADDR = 4, 0x18  # root ports of QEMU's own cards, on bus pcie.0


@functools.cache
def program(nic):
    """The QEMU for machines with that card: the installed one unless that cannot do it."""
    found = qemu11.find() if nic == "ixgbe" else QEMU
    if found is None:
        raise qemu11.SetupError(f"no QEMU that knows {qemu11.DEVICE}: run ./millrace setup")
    return found


def port_mac(port, nic="e1000e"):
    """MAC of a test port, as given to QEMU or to the software card."""
    return vfio.card_mac(port) if nic == "ixgbe" else f"52:54:00:4d:52:{port:02x}"


@dataclasses.dataclass
class Wanted:
    """What a machine is to be: Machine(image, **these)."""
    image: str                    # NAME.elf or NAME.img (the other one is found beside it)
    boot: str = "direct"          # one of BOOTS
    args: str = ""                # boot arguments
    modules: list = ()            # (name, path) pairs
    initrd: str = None            # a file passed as it is (direct boots)
    instead: list = None          # QEMU's words to boot by, instead of the image; firmware stays
    cores: int = 1
    smp: str = None               # text for -smp instead of `cores`
    memory_mib: int = 512
    cpu: str = "max"
    machine: str = "q35"          # QEMU's machine type
    nic: str = "e1000e"           # ixgbe (software cards), or a model that QEMU has
    ports: int = 2                # test ports
    card_options: str = ""        # more options of the software cards (vfio.Cards)
    cards: str = None             # the software cards' server; None: of the image's build
    plugin: str = None            # text for -plugin
    icount: int = None            # guest time: 2**icount ns an instruction, whatever the host does
    extra: list = ()              # more words for QEMU
    log: str = None               # file that the console is kept in
    patience: float = 1           # timeouts of waits are so many times as long: they are guards

    def __post_init__(self):
        if self.boot not in BOOTS or (self.boot == "pxe-card" and self.nic != "ixgbe"):
            raise ValueError(f"boot={self.boot}: one of {', '.join(BOOTS)} "
                             "(pxe-card: only ixgbe)")
        self.image = os.path.abspath(self.image)

    @property
    def on_q35(self):
        return self.machine.startswith("q35")

    def sibling(self, suffix):
        """The image with another ending."""
        return os.path.splitext(self.image)[0] + suffix

    def cards_program(self):
        """The software cards' server, of the build that the image is of."""
        if self.cards:
            return self.cards
        for folder in pathlib.Path(self.image).parents:
            if (folder / CARDS).exists():
                return str(folder / CARDS)
        raise FileNotFoundError(f"no {os.path.basename(CARDS)} in the build of {self.image}")


def port_path(folder, port):
    """The UNIX socket of a test port, for the traffic program."""
    return os.path.join(folder, f"port{port}.sock")


def _own_ports(want, folder):
    """Ports of a card that QEMU has."""
    options = []
    for port in range(want.ports):
        bus = "pci.0"
        if want.on_q35:
            bus = f"rp{port}"
            options += ["-device", f"pcie-root-port,id={bus},bus=pcie.0,"
                                   f"addr={TEST_PORT_ADDR + port:#x},chassis={port + 1}"]
        options += ["-netdev", f"stream,id=net{port},server=on,addr.type=unix,"
                               f"addr.path={port_path(folder, port)}",
                    "-device", f"{want.nic},id=port{port},bus={bus},netdev=net{port},"
                               f"mac={port_mac(port)},romfile="]
    return options


def _ovmf(folder):
    variables = os.path.join(folder, "vars.fd")
    shutil.copyfile(OVMF_VARS, variables)
    return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_CODE}",
            "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]


def _kernel(want, folder):
    """By -kernel: PVH takes the .elf, firmware the .img."""
    path = want.initrd
    if want.modules:
        path = os.path.join(folder, "modules.cpio")
        cpio.write(path, want.modules)
    image = want.sibling(".elf" if want.boot == "direct" else ".img")
    return ["-kernel", image, "-append", want.args] + (["-initrd", path] if path else [])


def _pxe(want, folder):
    """By a card and a network of their own."""
    uefi = want.boot == "pxe-uefi"
    tftp = os.path.join(folder, "tftp")
    bootfile = pxe.fill_folder(tftp, want.sibling(".img"), want.args, want.modules, uefi=uefi)
    bus, where = [], "bus=pci.0"
    if want.on_q35:
        bus = ["-device", f"pcie-root-port,id=rpboot,bus=pcie.0,addr={BOOT_PORT_ADDR:#x},"
                          "chassis=40"]
        where = "bus=rpboot"
    return bus + ["-netdev", f"user,id=netboot,restrict=on,tftp={tftp},bootfile={bootfile}",
                  "-device", f"e1000e,id=boot,{where},netdev=netboot,"
                             f"mac=52:54:00:4d:52:fe,romfile={pxe.boot_rom(uefi)},bootindex=1"]


def _pxe_card(want, folder):
    """iPXE by -kernel, and a small network with TFTP on the cable of port 0."""
    tftp = os.path.join(folder, "tftp")
    script = pxe.fill_for_lkrn(tftp, want.sibling(".img"), want.args, want.modules)
    return ["-kernel", pxe.LKRN, "-initrd", script,
            "-netdev", f"user,id=netboot,restrict=on,tftp={tftp}",
            "-netdev", "stream,id=cable,server=off,addr.type=unix,"
                       f"addr.path={port_path(folder, 0)}",
            "-netdev", "hubport,id=hub0,hubid=0,netdev=netboot",
            "-netdev", "hubport,id=hub1,hubid=0,netdev=cable"]


def _boot(want, folder):
    firmware = _ovmf(folder) if want.boot in ("uefi", "pxe-uefi") else []
    if want.instead is not None:
        return firmware + list(want.instead)
    if want.boot == "pxe-card":
        return _pxe_card(want, folder)
    return firmware + (_pxe if want.boot.startswith("pxe-") else _kernel)(want, folder)


def qmp_path(folder):
    """QEMU's control socket."""
    return os.path.join(folder, "qmp.sock")


def words(want, folder, cards=None):
    """The whole QEMU command line; files that it names are made in `folder`. `cards`: the
    vfio.Cards of the test ports, None: they are QEMU's own."""
    threads = "multi" if want.icount is None else "single"
    options = [program(want.nic), "-name", "millrace,debug-threads=on",
               "-accel", f"tcg,thread={threads}", "-machine", want.machine,
               "-cpu", want.cpu, "-smp", want.smp or str(want.cores),
               "-m", str(want.memory_mib), "-nodefaults", "-display", "none", "-no-reboot",
               "-no-user-config", "-serial", "stdio",
               "-qmp", f"unix:{qmp_path(folder)},server=on,wait=off",
               "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
    options += cards.qemu_options(want.memory_mib, want.machine) if cards else \
        _own_ports(want, folder)
    options += _boot(want, folder)
    if want.plugin:
        options += ["-plugin", want.plugin]
    if want.icount is not None:
        options += ["-icount", f"shift={want.icount},sleep=on"]
    return options + list(want.extra)
