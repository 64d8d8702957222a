# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the rig tests. Run by `./millrace test rig` or `pytest tests/rig`.

Environment: MILLRACE_BUILD is the build directory (default: build, made by ./millrace build).
"""
import glob
import os
import pathlib
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rig.apps import L2FWD  # noqa: E402  (needs the path above)
from rig.machine import qemu, qemu11  # noqa: E402
from rig.measure.generator import BOTH_WAYS, Traffic  # noqa: E402
from rig.measure.image import (BOOT_TIMEOUT_S, image_args, pools_full, read_report,  # noqa: E402
                               set_live, stop_machine)


PATIENCE = 6  # waits say what an idle host needs


@pytest.fixture(scope="session")
def vfio_qemu():
    """A QEMU with vfio-user, unpacked at the first use."""
    try:
        return qemu11.get()
    except qemu11.SetupError as error:
        pytest.skip(f"no QEMU >= 10.1: {error}")


@pytest.fixture(scope="session")
def build_dir():
    """The build directory with the images; built here when nobody named one."""
    named = os.environ.get("MILLRACE_BUILD")
    if named:
        return pathlib.Path(named)
    subprocess.run([str(ROOT / "millrace"), "build"], check=True)
    return ROOT / "build"


@pytest.fixture(scope="session")
def image(build_dir):
    """image("l2fwd") -> path of l2fwd.elf; l2fwd.img lies beside it."""
    def find(name):
        found = sorted(glob.glob(f"{build_dir}/**/{name}.elf", recursive=True))
        assert found, f"{name}.elf is not in {build_dir}"
        return found[0]
    return find


@pytest.fixture(scope="session")
def traffic_program(build_dir):
    """The traffic program of the rig (rig/traffic)."""
    return build_dir / "rig" / "traffic"


@pytest.fixture
def machine(image, tmp_path):
    """machine("l2fwd", args=..., cores=..., boot=...) starts a qemu.Machine; all that a test
    started end with it. Options: rig/machine/command.py; the console is kept in tmp_path."""
    started = []

    def start(name, **options):
        path = name if str(name).endswith((".elf", ".img")) else image(name)
        options.setdefault("log", str(tmp_path / f"console{len(started)}.log"))
        options.setdefault("patience", PATIENCE)
        started.append(qemu.Machine(path, **options))
        return started[-1].start()
    yield start
    for one in started:
        one.close()


class CoreTime:
    """A core's time between two reports. The time in which its vCPU thread was ready and had no
    host CPU is the host's: for the guest it is time awake, and it is subtracted here."""

    def __init__(self, core, before, after, waits_before, waits_after):
        one, two, thread = before["cores"][core], after["cores"][core], f"CPU {core}/TCG"
        self.span_us = after["uptime_us"] - before["uptime_us"]
        self.halted_us = two["halt_us"] - one["halt_us"]
        self.wakes = two["wakes"] - one["wakes"]
        self.host_us = (waits_after[thread] - waits_before[thread]) / 1000

    def awake(self):
        """Share of the time that it was awake and had a CPU, at least."""
        return max(0.0, self.span_us - self.halted_us - self.host_us) / self.span_us

    def wakes_per_s(self):
        return self.wakes * 1e6 / self.span_us

    def __repr__(self):
        return f"CoreTime({vars(self)})"


class Forwarding:
    """A machine whose l2fwd forwards, with the traffic program on its ports."""

    def __init__(self, machine, traffic):
        self.machine, self.traffic, self.console = machine, traffic, machine.console

    def report(self):
        return read_report(self.machine)

    def set(self, **values):
        """Changes live boot arguments; waits until the console took them."""
        set_live(self.machine, values)

    def watch(self, seconds):
        """What each core did for so long: see CoreTime."""
        before, waits = self.report(), self.machine.thread_waits()
        time.sleep(seconds)
        return [CoreTime(core, before, self.report(), waits, self.machine.thread_waits())
                for core in range(len(before["cores"]))]

    def clean_cards(self):
        """Asserts that software cards saw nothing that a driver must not do, and lost nothing."""
        for card in self.machine.cards.reports():
            wrong = {name: card[name] for name in ("bad_descs", "bad_tails", "dma_errors",
                                                   "rx_missed", "backend_lost") if card[name]}
            assert not wrong, card

    def stop_clean(self):
        """Stops the image; asserts that nothing is lost inside it. Returns its last report."""
        last, pools, code = stop_machine(self.machine)
        assert pools_full(pools), pools
        assert (last["owner_refusals"], last["buffers_missing"], code) == (0, 0, 0)
        return last


@pytest.fixture
def forwarding(machine, traffic_program):
    """forwarding(args=..., cores=..., lanes=..., image=another than l2fwd's of build_dir, **machine
    options) -> Forwarding."""
    opened = []

    def start(args="", cores=1, lanes=BOTH_WAYS, boot="direct", image=None, **options):
        args = image_args(args, boot, nic=options.get("nic", "e1000e"))
        one = machine(image or L2FWD.name, args=args, cores=cores, boot=boot, **options)
        traffic = Traffic(traffic_program, one, lanes=lanes, mode=L2FWD.mode(args))
        opened.append(traffic)
        timeout_s = BOOT_TIMEOUT_S[boot]
        one.console.wait_for(L2FWD.ready, timeout_s)
        for lane in lanes.split(","):
            traffic.probe(10, lanes=lane, flows=1)
        return Forwarding(one, traffic)
    yield start
    for traffic in opened:
        traffic.close()
