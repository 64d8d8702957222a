# SPDX-License-Identifier: BSD-2-Clause
"""Boot arguments: each mistake one line, and no start."""
import re

import pytest

BAD_ARGS_CODE = 2


@pytest.mark.parametrize("args, says", [
    ("spin_u=5", [r"spin_u\b.*spin_us"]),
    ("spin_us=banana", [r"spin_us.*banana|banana.*spin_us"]),
    ("poll=sometimes", [r"adaptive\|always\|irq"]),
    ("batch=0", [r"batch.*1\.\.64|batch.*1.*64"]),
    ("batch=65", [r"batch.*1\.\.64|batch.*1.*64"]),
    ("queues=1 queues=2", [r"queues"]),
    ("nonsense poll=x batch=1000 queues=-1", [r"nonsense", r"poll", r"batch", r"queues"]),
])
def test_each_mistake_is_a_line(machine, args, says):
    one = machine("l2fwd", args=args)
    code = one.wait_exit_code(15)
    for pattern in says:
        assert one.console.find(pattern), f"{pattern}: {one.console.text[-1500:]}"
    assert code == BAD_ARGS_CODE
    assert not one.console.find("state=forwarding")


@pytest.mark.parametrize("args", ["portmap=(0,1", "portmap=(0,7)", "ports=8", "portmap=(0,0",
                                  "ports=-1", "ports=(0,7)"])
def test_ports_that_are_not_there(machine, args):
    """Known only after the cards are: still a clear line, and no start."""
    one = machine("l2fwd", args=args)
    assert one.wait_exit_code(15) not in (0, None)
    assert one.console.find(r"error=.*port"), one.console.text[-1500:]
    assert not one.console.find("state=forwarding")


@pytest.mark.parametrize("args, says", [
    ("ip=192.0.2.1", "no mask"),
    ("ip=192.0.2.255:::255.255.255.0", "last address of its subnet"),
    ("ip6=xyz", "none of auto, link"),
    ("mtu=1600", "carries 68 to 1500"),
])
def test_addresses_that_cannot_be(machine, args, says):
    """Known only when the ports run: still a line, and no start."""
    one = machine("hello", args=args)
    assert one.wait_exit_code(15) == BAD_ARGS_CODE, one.console.text[-1500:]
    said = [line for line in one.console.lines if re.search(f"error=.*{says}", line)]
    assert len(said) == 1, one.console.text[-1500:]  # not one for each of two ports
    assert not one.console.find("state=listening")


def test_four_mistakes_are_four_lines(machine):
    one = machine("l2fwd", args="aaa=1 batch=0 poll=x spin_us=-1")
    assert one.wait_exit_code(15) == BAD_ARGS_CODE
    for name in ("aaa", "batch", "poll", "spin_us"):
        lines = [line for line in one.console.lines
                 if name in line and not line.startswith("boot ")]
        assert len(lines) >= 1, (name, one.console.text[-1500:])


def test_help_prints_every_argument(machine):
    one = machine("l2fwd", args="help")
    one.wait_exit_code(15)
    for name in ("cores", "poll", "spin_us", "sleep_max_us", "moderation_us", "portmap",
                 "queues", "batch", "pool_size", "drain_us", "frame_max", "mode"):
        assert one.console.find(rf"\b{name}\b"), name
    assert not one.console.find("state=forwarding")


def test_run_time_limit(machine):
    one = machine("l2fwd", args="run_s=1")
    assert one.wait_exit_code(20) == 0
    assert one.console.find(r"missing=0")


def test_arguments_arrive_through_pxe(machine):
    one = machine("l2fwd", boot="pxe-bios", args="ports=3 run_s=1 batch=16 portmap=(0,1)")
    assert one.wait_exit_code(60) == 0
    assert one.console.find(r'cmdline=".*batch=16 portmap=\(0,1\)')
