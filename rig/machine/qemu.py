# SPDX-License-Identifier: BSD-2-Clause
"""QEMU machines with two (or more) e1000e or ixgbe ports on stream sockets.

    with Machine("build/apps/l2fwd.elf", args="mode=io", cores=2) as m:
        m.console.wait_for("state=forwarding", 10)
        ... traffic on m.port_path(0), m.port_path(1) ...
        m.console.send("stop")
        status = m.wait_exit(10)

Boot ways: `direct` (PVH, -kernel NAME.elf), `linux` (SeaBIOS, -kernel NAME.img), `uefi` (OVMF,
-kernel NAME.img), `pxe-bios` and `pxe-uefi` (real network boot over an e1000e of its own, as
a rig has a management port: it comes after the test ports in PCI order). `pxe-card` is for
ixgbe only: iPXE boots over test port 0, whose cable is free when start() returns.

nic="ixgbe" are software 82599 cards (rig/machine/vfio.py) in a QEMU that can take them
(rig/machine/qemu11.py).
"""
import ctypes
import functools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from . import cpio, pxe, qemu11, vfio
from .console import Console

QEMU = "qemu-system-x86_64"
NICS = ("e1000e", "ixgbe")
BOOTS = ("direct", "linux", "uefi", "pxe-bios", "pxe-uefi", "pxe-card")
OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARS = "/usr/share/OVMF/OVMF_VARS_4M.fd"
PR_SET_PDEATHSIG = 1
PXE_CARD_S = 180
EXIT_HUNG = None


def port_mac(port, nic="e1000e"):
    """MAC of a test port, as given to QEMU or to the software card."""
    return vfio.card_mac(port) if nic == "ixgbe" else f"52:54:00:4d:52:{port:02x}"


@functools.cache
def program(nic):
    """The QEMU for machines with that card: the installed one unless that cannot do it."""
    found = qemu11.find() if nic == "ixgbe" else QEMU
    if found is None:
        raise qemu11.SetupError(f"no QEMU that knows {qemu11.DEVICE}: run ./millrace setup")
    return found


def die_with_parent():
    """Runs in the child: it ends when whoever started it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """One QEMU process. Use as a context manager: leaving it ends the process."""

    def __init__(self, image, *, boot="direct", args="", cores=1, memory_mib=512, ports=2,
                 modules=(), cpu="max", machine="q35", smp=None, plugin=None, extra=(),
                 nic="e1000e", log=None, initrd=None, icount=None, card_options="",
                 patience=1):
        """`image`: path of NAME.elf or NAME.img (the other one is found beside it).
        `modules`: (name, path) pairs. `initrd`: a file passed as it is (direct boots).
        `smp`: text for -smp instead of `cores`. `plugin`: text for -plugin.
        `icount`: guest time is counted in instructions of 2**icount ns, whatever the host does.
        `nic`: ixgbe (software cards), or a model that QEMU has.
        `card_options`: more options of the software cards (vfio.Cards).
        `patience`: timeouts of waits are so many times as long: they are guards, and a host
        that does other things is slower.
        """
        if boot not in BOOTS or (boot == "pxe-card" and nic != "ixgbe"):
            raise ValueError(f"boot={boot}: one of {', '.join(BOOTS)} (pxe-card: only ixgbe)")
        self.image = os.path.abspath(image)
        self.boot, self.args, self.cores = boot, args, cores
        self.memory_mib, self.ports, self.cpu = memory_mib, ports, cpu
        self.modules, self.initrd = list(modules), initrd
        self.machine_type, self.smp, self.nic = machine, smp or str(cores), nic
        self.plugin, self.extra, self.log, self.icount = plugin, list(extra), log, icount
        self.card_options, self.patience = card_options, patience
        self.process = None
        self.cards = None   # vfio.Cards of ixgbe ports
        self.console = None
        self.dir = None
        self.started_at = None
        self._qmp = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- command line ----

    def sibling(self, suffix):
        return os.path.splitext(self.image)[0] + suffix

    def port_path(self, port):
        """The UNIX socket of a test port, for the traffic program."""
        return os.path.join(self.dir, f"port{port}.sock")

    def port_mac(self, port):
        """MAC of a test port."""
        return port_mac(port, self.nic)

    def _cards_program(self):
        """The software cards' server, of the build that the image is of."""
        for folder in pathlib.Path(self.image).parents:
            path = folder / "model" / "millrace-nic82599"
            if path.exists():
                return str(path)
        raise FileNotFoundError(f"no millrace-nic82599 in the build of {self.image}")

    def _card_options(self):
        backends = [f"stream:{self.port_path(port)}" for port in range(self.ports)]
        self.cards = vfio.Cards(self._cards_program(), self.dir, backends,
                                options=self.card_options)
        return self.cards.qemu_options(self.memory_mib, self.machine_type)

    def _port_options(self):
        if self.nic == "ixgbe":
            return self._card_options()
        options = []
        on_q35 = self.machine_type.startswith("q35")
        for port in range(self.ports):
            bus = "pci.0"
            if on_q35:
                bus = f"rp{port}"
                options += ["-device", f"pcie-root-port,id={bus},bus=pcie.0,"
                                       f"addr={4 + port:#x},chassis={port + 1}"]
            options += ["-netdev", f"stream,id=net{port},server=on,addr.type=unix,"
                                   f"addr.path={self.port_path(port)}",
                        "-device", f"{self.nic},id=port{port},bus={bus},netdev=net{port},"
                                   f"mac={port_mac(port)},romfile="]
        return options

    def _initrd_options(self):
        path = self.initrd
        if self.modules:
            path = os.path.join(self.dir, "modules.cpio")
            cpio.write(path, self.modules)
        return ["-initrd", path] if path else []

    def _ovmf_options(self):
        variables = os.path.join(self.dir, "vars.fd")
        shutil.copyfile(OVMF_VARS, variables)
        return ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF_CODE}",
                "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]

    def _pxe_options(self):
        folder = os.path.join(self.dir, "tftp")
        bootfile = pxe.fill_folder(folder, self.sibling(".img"), self.args, self.modules,
                                   uefi=self.boot == "pxe-uefi")
        bus = []
        where = "bus=pci.0"
        if self.machine_type.startswith("q35"):
            bus = ["-device", "pcie-root-port,id=rpboot,bus=pcie.0,addr=0x18,chassis=40"]
            where = "bus=rpboot"
        rom = pxe.boot_rom(uefi=self.boot == "pxe-uefi")
        return bus + ["-netdev", f"user,id=netboot,restrict=on,tftp={folder},"
                                 f"bootfile={bootfile}",
                      "-device", f"e1000e,id=boot,{where},netdev=netboot,"
                                 f"mac=52:54:00:4d:52:fe,romfile={rom},bootindex=1"]

    def _pxe_card_options(self):
        """iPXE by -kernel, and a small network with TFTP on the cable of port 0."""
        folder = os.path.join(self.dir, "tftp")
        script = pxe.fill_for_lkrn(folder, self.sibling(".img"), self.args, self.modules)
        return ["-kernel", pxe.LKRN, "-initrd", script,
                "-netdev", f"user,id=netboot,restrict=on,tftp={folder}",
                "-netdev", "stream,id=cable,server=off,addr.type=unix,"
                           f"addr.path={self.port_path(0)}",
                "-netdev", "hubport,id=hub0,hubid=0,netdev=netboot",
                "-netdev", "hubport,id=hub1,hubid=0,netdev=cable"]

    def _boot_options(self):
        if self.boot == "pxe-card":
            return self._pxe_card_options()
        if self.boot == "direct":
            kernel = ["-kernel", self.sibling(".elf"), "-append", self.args]
            return kernel + self._initrd_options()
        if self.boot in ("linux", "uefi"):
            firmware = self._ovmf_options() if self.boot == "uefi" else []
            kernel = ["-kernel", self.sibling(".img"), "-append", self.args]
            return firmware + kernel + self._initrd_options()
        firmware = self._ovmf_options() if self.boot == "pxe-uefi" else []
        return firmware + self._pxe_options()

    def command(self):
        """The whole QEMU command line (after start(): what was run)."""
        threads = "multi" if self.icount is None else "single"
        options = [program(self.nic), "-name", "millrace,debug-threads=on",
                   "-accel", f"tcg,thread={threads}", "-machine", self.machine_type,
                   "-cpu", self.cpu, "-smp", self.smp, "-m", str(self.memory_mib),
                   "-nodefaults", "-display", "none", "-no-reboot", "-no-user-config",
                   "-serial", "stdio", "-qmp",
                   f"unix:{os.path.join(self.dir, 'qmp.sock')},server=on,wait=off",
                   "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]
        options += self._port_options() + self._boot_options()
        if self.plugin:
            options += ["-plugin", self.plugin]
        if self.icount is not None:
            options += ["-icount", f"shift={self.icount},sleep=on"]
        return options + self.extra

    # ---- life ----

    def start(self):
        # Socket paths are limited to 107 bytes: a short folder of our own.
        self.dir = tempfile.mkdtemp(prefix="millrace-")
        try:
            command = self.command()
            self.errors_path = os.path.join(self.dir, "stderr")
            with open(self.errors_path, "wb") as errors:
                self.started_at = time.monotonic()
                self.process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    preexec_fn=die_with_parent, bufsize=0)
            self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                                   self.log, self.patience)
            if self.boot == "pxe-card":
                self._leave_boot_network()
        except BaseException:
            self.close()
            raise
        return self

    def close(self):
        """Ends the process, whatever it does, and removes its folder. Safe to call twice."""
        if self._qmp:
            self._qmp.close()
            self._qmp = None
        if self.process:
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
            if self.console:
                self.console.wait_closed(5)
            self.process.stdin.close()
            self.process.stdout.close()
        if self.cards:
            self.cards.close()
            self.cards = None
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)
            self.dir = None

    def errors(self):
        """What QEMU itself complained about."""
        try:
            with open(self.errors_path, encoding="latin-1") as errors:
                return errors.read()
        except OSError:
            return ""

    def alive(self):
        return self.process.poll() is None

    def wait_exit(self, timeout_s):
        """Exit status of QEMU, EXIT_HUNG when it still runs after the timeout."""
        try:
            status = self.process.wait(timeout_s * self.patience)
        except subprocess.TimeoutExpired:
            return EXIT_HUNG
        self.console.wait_closed(5)
        return status

    def wait_exit_code(self, timeout_s):
        """The image's own exit code: 0 by power-off, else what it wrote to isa-debug-exit."""
        status = self.wait_exit(timeout_s)
        if status is EXIT_HUNG or status == 0:
            return status
        return status >> 1 if status & 1 else -status

    # ---- QMP ----

    def qmp(self, command, **arguments):
        """Runs one QMP command and returns its answer."""
        if not self._qmp:
            self._qmp = Qmp(os.path.join(self.dir, "qmp.sock"))
        return self._qmp.command(command, arguments)

    def set_link(self, port, up):
        """Plugs (or unplugs) the cable of a test port."""
        if self.cards:
            self.cards.command(f"{port} link {'up' if up else 'down'}")
            return
        self.qmp("set_link", name=f"port{port}", up=bool(up))

    def _leave_boot_network(self):
        """Waits for the image; then whoever connects to port 0 next is at its cable."""
        self.console.wait_for(r"^boot ", PXE_CARD_S)
        self.qmp("netdev_del", id="cable")

    # ---- CPU time ----

    def pids(self):
        """Processes of this machine: QEMU, and the software cards' server."""
        return [self.process.pid] + ([self.cards.process.pid] if self.cards else [])

    def _schedstat(self):
        """{thread name: (ns on a CPU, ns ready and waiting for one, times scheduled)}."""
        times = {}
        base = f"/proc/{self.process.pid}/task"
        for task in os.listdir(base):
            try:
                with open(f"{base}/{task}/comm", encoding="ascii") as comm:
                    name = comm.read().strip()
                with open(f"{base}/{task}/schedstat", encoding="ascii") as stat:
                    times[name] = tuple(int(word) for word in stat.read().split())
            except OSError:
                continue  # the thread ended meanwhile
        return times

    def thread_times(self):
        """{thread name: (ns on a CPU, times scheduled)}; vCPUs are 'CPU n/TCG'."""
        return {name: (run_ns, switches)
                for name, (run_ns, _, switches) in self._schedstat().items()}

    def thread_waits(self):
        """{thread name: ns that it was ready and had no CPU}."""
        return {name: wait_ns for name, (_, wait_ns, _) in self._schedstat().items()}

    def vcpu_load(self, seconds):
        """Share of a CPU that each vCPU thread uses over the next `seconds`, by core. Time in
        which it was ready and had no CPU was the host's to give: it is left out."""
        before = self._schedstat()
        begin = time.monotonic()
        time.sleep(seconds)
        after = self._schedstat()
        wall_ns = (time.monotonic() - begin) * 1e9
        loads = []
        for name in [f"CPU {core}/TCG" for core in range(64)]:
            if name in before:
                ran, waited = (after[name][i] - before[name][i] for i in (0, 1))
                loads.append(ran / max(wall_ns - waited, ran, 1))
        return loads


class Qmp:
    """QEMU's control socket: one command, one answer; events are skipped."""

    def __init__(self, path, timeout_s=10):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._file.readline()  # greeting
        self.command("qmp_capabilities", {})

    def command(self, name, arguments):
        self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError(f"qmp: closed while {name} was running")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"qmp: {name}: {answer['error']['desc']}")

    def close(self):
        self._file.close()
        self._socket.close()
