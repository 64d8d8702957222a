# SPDX-License-Identifier: BSD-2-Clause
"""A second serial port that firmware names (SPCR): everything is read there, from the first line
to the exit code, mistakes and `help` too. COM1 says where the console went."""
import struct
import time

import pytest

COM2 = 0x2f8
REVISION = 4


def spcr_body(port, kind=0, access=1, clock_hz=0):
    """What is behind the 36 bytes of header (QEMU makes them): Microsoft's SPCR, revision 4."""
    return (struct.pack("<B3x", kind) +
            struct.pack("<BBBBQ", 1, 8, 0, access, port) +     # port space
            struct.pack("<BBIBBBBBB", 0, 3, 3, 7, 0, 1, 0, 3, 0) +
            struct.pack("<HHBBBBIB", 0xffff, 0xffff, 0, 0, 0, 0, 0, 0) +
            struct.pack("<II", clock_hz, 0) +
            struct.pack("<HH", 0, 0))


@pytest.fixture(name="second_port")
def _second_port(machine, tmp_path):
    """second_port(args=..., **spcr) -> (machine, function that reads what came at COM2)."""
    def start(args="", **spcr):
        body, out = tmp_path / "spcr.bin", tmp_path / "com2.txt"
        body.write_bytes(spcr_body(COM2, **spcr))
        out.touch()
        extra = ["-acpitable", f"sig=SPCR,rev={REVISION},data={body}",
                 "-serial", f"file:{out}"]
        one = machine("l2fwd", args=args, extra=extra)
        return one, lambda: out.read_text(errors="replace")
    return start


def wait_text(read, wanted, timeout_s=60):
    """What is read once it has `wanted`."""
    end = time.monotonic() + timeout_s
    while wanted not in read():
        assert time.monotonic() < end, f"no {wanted!r} in:\n{read()}"
        time.sleep(0.1)
    return read()


@pytest.mark.parametrize("spcr", [{}, {"kind": 0x12, "access": 3, "clock_hz": 1843200}],
                         ids=["plain", "type_0x12"])
def test_a_mistake_is_read_at_the_port_of_spcr(second_port, spcr):
    _, read = second_port("nonsense=1", **spcr)
    text = wait_text(read, "exit code=2")
    assert text.index("boot entry=") < text.index("argument mistake")
    assert text.count("boot entry=") == 1


def test_help_is_read_at_the_port_of_spcr(second_port):
    one, read = second_port("help")
    text = wait_text(read, "exit code=0")
    assert "spin_us" in text
    one.console.wait_for("console moves to the port", 1)


def test_a_run_is_read_at_the_port_of_spcr(second_port):
    _, read = second_port("run_s=1")
    text = wait_text(read, "exit code=0")
    lines = text.splitlines()
    assert [line for line in lines if "state=forwarding" in line]
    assert sum(line.startswith("report {") for line in lines) == 1
