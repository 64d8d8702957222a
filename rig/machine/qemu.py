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
import os
import shutil
import signal
import subprocess
import tempfile
import time

from . import command, vfio
from .console import Console
from .qmp import Qmp

PR_SET_PDEATHSIG = 1
PXE_CARD_S = 180
EXIT_STATUS_S = 5  # from the end of its console to the end of QEMU
EXIT_HUNG = None


def die_with_parent():
    """Runs in the child: it ends when whoever started it does."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Machine:
    """One QEMU process. Use as a context manager: leaving it ends the process."""

    def __init__(self, image, **options):
        """`image`: path of NAME.elf or NAME.img; `options`: see command.Wanted."""
        self.want = command.Wanted(image, **options)
        self.process = None
        self.cards = None   # vfio.Cards of ixgbe ports
        self.console = None
        self.dir = None
        self.started_at = None
        self._errors_path = ""
        self._qmp = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # ---- ports ----

    @property
    def ports(self):
        """How many test ports there are."""
        return self.want.ports

    def port_path(self, port):
        """The UNIX socket of a test port, for the traffic program."""
        return command.port_path(self.dir, port)

    def port_mac(self, port):
        """MAC of a test port."""
        return command.port_mac(port, self.want.nic)

    def _start_cards(self):
        backends = [f"stream:{self.port_path(port)}" for port in range(self.want.ports)]
        self.cards = vfio.Cards(self.want.cards_program(), self.dir, backends,
                                options=self.want.card_options)

    # ---- life ----

    def start(self):
        # Socket paths are limited to 107 bytes: a short folder of our own.
        self.dir = tempfile.mkdtemp(prefix="millrace-")
        try:
            if self.want.nic == "ixgbe":
                self._start_cards()
            words = command.words(self.want, self.dir, self.cards)
            self._errors_path = os.path.join(self.dir, "stderr")
            with open(self._errors_path, "wb") as errors:
                self.started_at = time.monotonic()
                self.process = subprocess.Popen(
                    words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                    preexec_fn=die_with_parent, bufsize=0)
            self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                                   self.want.log, self.want.patience, self._how_it_ended)
            if self.want.boot == "pxe-card":
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
            with open(self._errors_path, encoding="latin-1") as errors:
                return errors.read()
        except OSError:
            return ""

    def _how_it_ended(self):
        """QEMU's exit status and complaints. Without a line of the image on its exit, status 0 is
        a reset: `-no-reboot` ends QEMU when a core faults and has no handler."""
        try:
            status = self.process.wait(EXIT_STATUS_S)
        except subprocess.TimeoutExpired:
            status = "none yet"
        return f"QEMU's exit status: {status}; stderr: {self.errors().strip() or 'empty'}"

    def alive(self):
        return self.process.poll() is None

    def wait_exit(self, timeout_s):
        """Exit status of QEMU, EXIT_HUNG when it still runs after the timeout."""
        try:
            status = self.process.wait(timeout_s * self.want.patience)
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

    def qmp(self, name, /, **arguments):
        """Runs one QMP command and returns its answer."""
        if not self._qmp:
            self._qmp = Qmp(command.qmp_path(self.dir))
        return self._qmp.command(name, arguments)

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
