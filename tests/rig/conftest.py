# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the rig tests. Run by `./millrace test rig` or `pytest tests/rig`.

Environment: MILLRACE_BUILD is the build directory (default: build, made by ./millrace build).
"""
import glob
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from rig import count, qemu, run_l2fwd  # noqa: E402  (needs the path above)
from rig.traffic import Traffic  # noqa: E402


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
    started end with it. Arguments as in rig/qemu.py; the console is kept in tmp_path."""
    started = []

    def start(name, **options):
        path = name if str(name).endswith((".elf", ".img")) else image(name)
        options.setdefault("log", str(tmp_path / f"console{len(started)}.log"))
        started.append(qemu.Machine(path, **options))
        return started[-1].start()
    yield start
    for one in started:
        one.close()


class Forwarding:
    """A machine whose l2fwd forwards, with the traffic program on its ports."""

    def __init__(self, machine, traffic):
        self.machine, self.traffic, self.console = machine, traffic, machine.console

    def report(self):
        return count.read_report(self.machine)

    def set(self, **values):
        """Changes live boot arguments; waits until the console took them."""
        for name, value in values.items():
            self.console.send(f"set {name}={value}")
        self.report()  # commands are done in order: an answer means the others were taken

    def stop_clean(self):
        """Stops the image; asserts that nothing is lost inside it. Returns its last report."""
        last, pools, code = run_l2fwd.stop_machine(self.machine)
        assert run_l2fwd.pools_full(pools), pools
        assert (last["owner_refusals"], last["buffers_missing"], code) == (0, 0, 0)
        return last


@pytest.fixture
def forwarding(machine, traffic_program):
    """forwarding(args=..., cores=..., lanes=..., **machine options) -> Forwarding."""
    opened = []

    def start(args="", cores=1, lanes=run_l2fwd.BOTH_WAYS, boot="direct", **options):
        args = run_l2fwd.image_args(args, boot, nic=options.get("nic", "e1000e"))
        one = machine("l2fwd", args=args, cores=cores, boot=boot, **options)
        traffic = Traffic(traffic_program, one, lanes=lanes, mode=run_l2fwd.traffic_mode(args))
        opened.append(traffic)
        timeout_s = run_l2fwd.BOOT_TIMEOUT_S[boot]
        one.console.wait_for(r"state=forwarding", timeout_s)
        for lane in lanes.split(","):
            traffic.probe(10, lanes=lane, flows=1)
        return Forwarding(one, traffic)
    yield start
    for traffic in opened:
        traffic.close()
