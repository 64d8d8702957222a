# SPDX-License-Identifier: BSD-2-Clause
"""How a machine ends: its cards are silent, and somebody can read why."""
import pathlib
import re
import subprocess
import time

import pytest

from rig.machine import command as qemu

PANIC_CODE = 70
BUS_MASTER = 1 << 2
RCTL, RCTL_EN = 0x100, 1 << 1
READ_S = 10  # rt/x86/exit.c


def read_phys(one, address):
    """A word of the guest's physical memory, device registers included."""
    text = one.qmp("human-monitor-command", **{"command-line": f"xp /1wx {address:#x}"})
    return int(text.split(":")[1], 16)


def cards(one):
    """(command register, RCTL) of each e1000e, read past the guest."""
    ecam = int(one.console.find(r"^ecam0 base=(0x\w+) segment=0")[0].group(1), 16)
    buses = one.qmp("query-pci")
    found = []
    while buses:
        bus = buses.pop()
        for dev in bus["devices"]:
            if "pci_bridge" in dev:
                buses.append({"devices": dev["pci_bridge"].get("devices", [])})
            if dev["id"].get("device") != 0x10d3:
                continue
            bdf = dev["bus"] << 8 | dev["slot"] << 3 | dev["function"]
            registers = next(r["address"] for r in dev["regions"] if r["bar"] == 0)
            found.append((read_phys(one, ecam + (bdf << 12) + 4),
                          read_phys(one, registers + RCTL)))
    return found


def check_silent(one):
    seen = cards(one)
    assert len(seen) == 2
    for command, rctl in seen:
        assert command & BUS_MASTER == 0, seen
        assert rctl & RCTL_EN == 0, seen


def check_at_work(one):
    for command, rctl in cards(one):
        assert command & BUS_MASTER and rctl & RCTL_EN


def test_halted_after_a_panic_the_cards_are_silent(forwarding):
    """An NMI is a panic; the machine then stands still, for as long as it has power."""
    rig = forwarding("at_panic=halt", cores=2)
    check_at_work(rig.machine)
    rig.machine.qmp("inject-nmi")
    rig.console.wait_for(rf"^exit code={PANIC_CODE}", 20)
    check_silent(rig.machine)
    assert rig.machine.alive()


def test_halted_at_stop_the_cards_are_silent(forwarding):
    rig = forwarding("at_stop=halt", cores=2)
    check_at_work(rig.machine)
    rig.console.send("stop")
    rig.console.wait_for(r"^exit code=0", 20)
    check_silent(rig.machine)
    rig.machine.qmp("inject-nmi")  # it stands still; this is no new panic
    time.sleep(1)
    assert rig.machine.alive()
    assert not rig.console.find(r"^panic ")


@pytest.fixture(name="plain")
def _plain(image):
    """A QEMU as a user starts it: no device that takes an exit code. Gives its console text,
    once it has switched itself off."""
    def start(args, *more, suffix=".elf"):
        path = pathlib.Path(image("selftest")).with_suffix(suffix)
        command = [qemu.QEMU, "-machine", "q35", "-cpu", "max", "-m", "256", "-nodefaults",
                   "-display", "none", "-serial", "stdio", "-no-reboot", "-kernel", str(path),
                   "-append", args, *more]
        done = subprocess.run(command, timeout=120, check=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE)
        return done.stdout.decode("latin-1")
    return start


@pytest.mark.parametrize("args,action", [("fault=null", "reset"),
                                         ("fault=null at_panic=poweroff", "poweroff")])
def test_a_panic_waits_then_starts_anew(plain, args, action):
    """The wait is in guest time: the report can be read, resets do not become a storm."""
    text = plain(args)
    assert re.search(rf"^exit action={action} in_s={READ_S} remedy=.*at_panic=halt", text,
                     re.M), text
    assert "power state=halted" not in text


def test_an_nmi_does_not_hold_up_the_end(image, tmp_path):
    """A failing card sends one at any time: the core that ends the run has nobody behind it."""
    serial = tmp_path / "serial"
    command = [qemu.QEMU, "-machine", "q35", "-cpu", "max", "-m", "256", "-nodefaults",
               "-display", "none", "-serial", f"file:{serial}", "-no-reboot", "-monitor", "stdio",
               "-kernel", image("selftest"), "-append", "fault=null"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while not serial.exists() or b"\nexit action=reset" not in serial.read_bytes():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            process.stdin.write(b"nmi\n")
            process.stdin.flush()
            assert process.wait(60) == 0, serial.read_text()
        finally:
            process.kill()
    assert re.search(r'^panic core=0 reason="NMI" .* depth=2$', serial.read_text(), re.M)


@pytest.mark.parametrize("screen", [True, False])
def test_an_error_at_start_can_be_read(plain, screen):
    """On a screen; who has a serial line has the text anyway."""
    more = ["-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={qemu.OVMF_CODE}"]
    text = plain("nonsense=1", *more, *(["-device", "VGA"] if screen else []), suffix=".img")
    assert "argument mistake: " in text and "\nexit code=2" in text, text
    waits = re.search(rf"^exit action=poweroff in_s={READ_S} remedy=.*at_stop=halt", text, re.M)
    assert bool(waits) == screen, text
