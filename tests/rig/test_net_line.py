# SPDX-License-Identifier: BSD-2-Clause
"""Our stack as a Linux process, Linux, and a bad line between them (line_peer.py)."""
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("line_peer.py")
LIMIT_S = 600


def in_namespace(build_dir, *words, needs=()):
    from tests.rig import lan
    lan.need(*needs, tap=True)
    lan.again_in_namespace(PEER, build_dir / "apps", *words, timeout_s=LIMIT_S)


@pytest.mark.parametrize("case", ["clean", "loss1", "loss5"])
def test_equal_bytes(build_dir, case):
    """256, 32 and 8 MiB come back as they were."""
    in_namespace(build_dir, case)


def test_image_behind_a_bad_line(build_dir):
    in_namespace(build_dir, "image", needs=["qemu-system-x86_64"])


@pytest.mark.parametrize("case", ["ten_thousand", "called"])
def test_ten_thousand_connections(build_dir, case):
    """Linux opens them, or we do."""
    in_namespace(build_dir, case)


@pytest.mark.parametrize("program,case", [("ping", "flood"), ("nc", "netcat"), ("nmap", "nmap")])
def test_programs(build_dir, program, case):
    in_namespace(build_dir, case, needs=[program])


@pytest.mark.parametrize("line", ["clean"])
def test_as_fast_as_linux(build_dir, line):
    in_namespace(build_dir, "goodput", line)
