# SPDX-License-Identifier: BSD-2-Clause
"""What the rig knows of an image: its arguments, its console, its file."""
import os
import subprocess

import pytest

from rig.apps import L2FWD
from rig.machine import cpio, elf, pxe
from rig.machine.console import Console
from rig.measure import image as image_module
from rig.measure.generator import ProbeLost
from rig.measure.image import RunError, first_frame, image_args, pools_full


@pytest.mark.parametrize("args, mode", [("", "mac"), ("mode=io", "io"), ("mac_update=off", "io"),
                                        ("mode=macswap mac_update=off", "macswap")])
def test_mode_follows_arguments(args, mode):
    assert L2FWD.mode(args) == mode


def test_network_boot_leaves_its_own_port_out():
    assert image_args("", "pxe-bios") == "ports=3"
    assert image_args("ports=1", "pxe-bios") == "ports=1"
    assert image_args("batch=8", "direct", queues=2) == "batch=8 queues=2"


def test_pools_are_judged():
    full = "pool name=a core=0 total=8 free=8 missing=0"
    assert pools_full([full])
    assert not pools_full([])
    assert not pools_full([full, "pool name=b core=1 total=8 free=7 missing=1"])


def test_archive_is_newc():
    data = cpio.pack([("name", b"12345")])
    assert data.startswith(b"070701") and len(data) % 4 == 0
    assert data.count(b"070701") == 2 and b"TRAILER!!!\0" in data


def test_script_names_every_module():
    text = pxe.script("a.img", "x=1", ["m1", "m2"], open_network=True)
    assert text.splitlines() == ["#!ipxe", "dhcp", "kernel a.img x=1", "initrd m1 m1",
                                 "initrd m2 m2", "boot"]


def test_descriptors_are_read_ahead(image):
    """Seven lines of them, and a frame's data: a compiler may take prefetches for nothing."""
    code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", image("l2fwd")],
                          capture_output=True, text=True, check=True).stdout
    found = {part.split("<")[1].split(">:")[0]: part.count("prefetch")
             for part in code.split("\n\n") if "_some>:" in part}
    for name in ("e1000e_rx_some", "e1000e_rx_checked_some", "ixgbe_rx_some",
                 "ixgbe_rx_checked_some"):
        assert found.get(name, 0) >= 7 + 1, found


def test_symbols_of_the_image(image):
    symbols = elf.Elf(image("l2fwd"))
    offset = symbols.offset("l2fwd_worker_poll")
    assert symbols.function_at(offset) == symbols.function_at(offset + 1) == "l2fwd_worker_poll"
    assert symbols.function_at(1 << 40) is None
    # Both drivers have one of that name, each a function of its own.
    text = subprocess.run(["nm", "--defined-only", image("l2fwd")], capture_output=True, text=True,
                          check=True).stdout
    same = [int(line.split()[0], 16) for line in text.splitlines() if line.endswith(" t quiesce")]
    assert len(same) >= 2
    assert {symbols.function_at(a - symbols.link_base) for a in same} == {"quiesce"}
    with pytest.raises(KeyError):
        symbols.offset("no_such_function")


class DeadMachine:
    """A machine of which only the console matters."""

    def __init__(self, lines, alive):
        self.alive = lambda: alive
        read, write = os.pipe()
        os.write(write, "".join(line + "\n" for line in lines).encode())
        os.close(write)
        self.console = Console(read, -1)
        self.console.wait_closed(5)
        os.close(read)


class DeafTraffic:
    def probe(self, **_):
        raise ProbeLost("traffic: none of 3 probes came back")


@pytest.mark.parametrize("lines, alive, says", [
    (['argument mistake: arg text="queues=99" mistake="out of range"', "exit code=2"], True,
     'argument mistake: arg text="queues=99"'),
    (['l2fwd error=no_ports remedy="x"', "exit code=4"], False, 'l2fwd error=no_ports'),
    (["boot entry=pvh"], False, "the machine ended"),
    (["l2fwd state=forwarding"], True, "the image forwards, but no frame")])
def test_headline_is_the_image_s_own_error(monkeypatch, lines, alive, says):
    """At once when the image has ended; soon when it forwards and nothing comes back."""
    monkeypatch.setattr(image_module, "SILENCE_S", 0.1)
    with pytest.raises(RunError) as error:
        first_frame(L2FWD, DeadMachine(lines, alive), DeafTraffic(), "0>1", 20)
    assert str(error.value).startswith(says)
