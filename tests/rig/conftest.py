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

from rig import qemu  # noqa: E402  (needs the path above)


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
