# SPDX-License-Identifier: BSD-2-Clause
"""The self test image on QEMU machines of several shapes, and each fault it can make.

The image speaks TAP on its serial line; see tests/image/selftest.c.
"""
import contextlib
import os
import re
import struct
import subprocess
import time

import pytest

from rig.machine import command, qemu11

BOOT_TIMEOUT_S = 60
IDLE_LOAD_MAX = 0.01  # of a host core, for a halted core
CLOCK_ERROR_MAX = 0.01
PANIC_CODE = 70


def run(start, **options):
    """Starts the image without network ports; returns its console text and exit code."""
    options.setdefault("ports", 0)
    one = start("selftest", **options)
    code = one.wait_exit_code(BOOT_TIMEOUT_S)
    return one.console.text, code


def check_tap(text, cores):
    plan = re.search(r"^1\.\.(\d+)$", text, re.M)
    assert plan, text
    results = re.findall(r"^(not )?ok (\d+) - (.*)$", text, re.M)
    assert not [r for r in results if r[0]], text
    assert [int(r[1]) for r in results] == list(range(1, int(plan.group(1)) + 1)), text
    assert f"cores running={cores} " in text
    skipped = [r[2] for r in results if "# SKIP one core" in r[2]]
    assert (cores == 1) == bool(skipped), skipped


@pytest.mark.parametrize("cores", (1, 2, 4, 8))
def test_cores(machine, cores):
    text, code = run(machine, cores=cores)
    check_tap(text, cores)
    assert code == 0


@pytest.mark.parametrize("options", (
    {"machine": "pc"},
    {"machine": "pc", "cpu": "qemu64"},
    {"cpu": "max,-x2apic"},
    {"cpu": "max,la57=off,pdpe1gb=off"},
    {"cpu": "max,-nx"},
    {"cpu": "qemu64,-nx"},
    {"machine": "q35,hpet=off"},
    {"memory_mib": 5120},
    {"boot": "linux"},
    {"boot": "uefi"},
), ids=lambda o: ",".join(f"{k}={v}" for k, v in o.items()))
def test_machines(machine, options):
    text, code = run(machine, cores=2, **options)
    check_tap(text, 2)
    assert code == 0


@pytest.mark.parametrize("unit", ("intel-iommu,intremap=on", "intel-iommu,intremap=off"))
def test_iommu_left_on(machine, unit):
    """The image switches the unit on itself, as a kernel before kexec does, and off again."""
    text, code = run(machine, cores=2, extra=["-device", unit])
    check_tap(text, 2)
    remaps = int(unit.endswith("=on"))
    assert re.search(r"^ok \d+ - iommu: what was left on goes off$", text, re.M), text
    assert (f"iommu kind=vt-d address=0xfed90000 segment=0 dma_remapping=1 "
            f"interrupt_remapping={remaps} protected_memory=0 found=on action=off status=ok"
            ) in text
    assert code == 0


@pytest.mark.parametrize("table", ("DMAR", "MCFG"))
def test_tables_name_addresses_out_of_reach(machine, tmp_path, table):
    """Registers behind the processor's last address bit: left alone, with a line."""
    base = 0x700000000000
    body = {"DMAR": bytes(12) + struct.pack("<HHBBHQ", 0, 16, 1, 0, 0, base),
            "MCFG": bytes(8) + struct.pack("<QHBBI", base, 1, 0, 0, 0)}[table]
    file = tmp_path / "table.bin"
    file.write_bytes(body)
    text, code = run(machine, cores=2, extra=["-acpitable", f"sig={table},rev=1,data={file}"])
    assert re.search(rf"^(iommu address|pci ecam)={base:#x} .*unsupported", text, re.M), text
    check_tap(text, 2)
    assert code == 0


def test_cores_argument(machine):
    text, code = run(machine, cores=4, args="cores=2")
    check_tap(text, 2)
    assert code == 0


def test_core_listed_but_offline(machine):
    """MADT lists two places and one core: the machine goes on with one."""
    text, code = run(machine, smp="1,maxcpus=2")
    check_tap(text, 1)
    assert code == 0


def test_core_that_does_not_start(machine, tmp_path):
    """A second MADT lists a core (APIC id 7) that is not there: named, and left out."""
    madt = tmp_path / "madt.bin"
    madt.write_bytes(struct.pack("<II", 0xfee00000, 1) +  # local APIC, 8259 present
                     struct.pack("<BBBBI", 0, 8, 7, 7, 1))  # enabled
    text, code = run(machine, cores=2, extra=["-acpitable", f"sig=APIC,rev=3,data={madt}"])
    assert 'core apic=7 state=failed reason="did not start within 1000 ms"' in text
    check_tap(text, 2)
    assert code == 0


@pytest.mark.parametrize("apic_id", (0x100, 0xff, 0x101, 0x17161514))
def test_core_with_an_id_out_of_reach(machine, tmp_path, apic_id):
    """An enabled x2APIC entry of a machine in xAPIC mode. Eight bits of the id go out with an
    INIT: 0x100 would reset the boot core, 0xff all of them, 0x101 would stop core 1."""
    madt = tmp_path / "madt.bin"
    madt.write_bytes(struct.pack("<II", 0xfee00000, 1) +
                     struct.pack("<BBHIII", 9, 16, 0, apic_id, 1, 9))
    text, _ = run(machine, cores=2, extra=["-acpitable", f"sig=APIC,rev=3,data={madt}"])
    assert re.search(rf"^core apic={apic_id:#x} state=skipped reason=", text, re.M), text
    assert re.search(r"^cores running=2 .* apic=xapic ", text, re.M), text
    assert len(re.findall(r"^ok \d+ - cores: ", text, re.M)) == 6, text
    assert len(re.findall(r"^boot entry=", text, re.M)) == 1 and "\nexit code=" in text, text


def test_x2apic_mode(image):
    """Firmware hands over in x2APIC mode when an id needs it: here core 1 has 280."""
    program = qemu11.find()
    if not program:
        pytest.skip("no QEMU whose TCG has x2APIC: run ./millrace setup")
    command = [program, "-machine", "q35", "-cpu", "max", "-m", "256", "-nodefaults",
               "-smp", "1,sockets=300,maxcpus=300", "-device",
               "max-x86_64-cpu,socket-id=280,core-id=0,thread-id=0", "-display", "none",
               "-serial", "stdio", "-no-reboot", "-kernel", image("selftest")]
    done = subprocess.run(command, timeout=2 * BOOT_TIMEOUT_S, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    text = done.stdout.decode("latin-1")
    assert re.search(r"^cores running=2 .* apic=x2apic ", text, re.M), text
    assert "cores: found by the id of their local APIC" in text
    assert not re.search(r"^not ok \d+ - cores: ", text, re.M), text


def test_clock_sources(machine):
    for shape, source in (("q35", "hpet"), ("q35,hpet=off", "pmtimer")):
        text, code = run(machine, machine=shape)
        assert f"clock source={source} " in text
        assert code == 0


def host_delay_us(one):
    """Time that this host kept the machine's threads and this program's from running."""
    waits = sum(one.thread_waits().values())
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/schedstat", encoding="ascii") as stat:
            waits += int(stat.read().split()[1])
    return waits / 1000


def test_clock_rate(machine):
    """Our microseconds against the host's, over two seconds. A mark may arrive late, by no more
    than the host kept those who hand it on waiting."""
    one = machine("selftest", ports=0, args="mark_ms=2000")
    marks, waited = [], host_delay_us(one)
    for n in (1, 2):
        found, when = one.console.wait_for_at(rf"mark n={n} us=(\d+)", BOOT_TIMEOUT_S)
        marks.append((when, int(found.group(1))))
        if n == 2:
            waited = max(0, host_delay_us(one) - waited)  # a thread that ended takes its own away
    host_us = (marks[1][0] - marks[0][0]) * 1e6
    guest_us = marks[1][1] - marks[0][1]
    assert abs(guest_us - host_us) < CLOCK_ERROR_MAX * host_us + 10e3 + waited, \
        (guest_us, host_us, waited)
    assert one.wait_exit_code(BOOT_TIMEOUT_S) == 0


def test_idle_costs_nothing(machine):
    """Halted cores: each vCPU thread under 1 % of a host core over 4 s."""
    one = machine("selftest", ports=0, cores=2, args="idle_s=10")
    one.console.wait_for("idle state=begin", BOOT_TIMEOUT_S)
    time.sleep(1)
    load = one.vcpu_load(4)
    assert len(load) == 2, load
    assert max(load) < IDLE_LOAD_MAX, load
    assert one.wait_exit_code(BOOT_TIMEOUT_S) == 0


FAULTS = {
    "null": r'#PF page fault".*\n.*access=write address=0x0 reason="null pointer"',
    "text_write": r'#PF page fault".*\n.*access=write .*reason="the page is read-only"',
    "rodata_write": r'#PF page fault".*\n.*access=write .*reason="the page is read-only"',
    "data_exec": r'#PF page fault".*\n.*access=execute .*reason="the page holds data"',
    "stack_overflow": r'#PF page fault".*\n.*reason="stack overflow" stack=core',
    "div0": r"#DE divide error",
    "ud2": r'#UD invalid opcode".*\n.*undefined behaviour',
    "ubsan": r'#UD invalid opcode".*\n.*undefined behaviour',
    "assert": r'assertion failed" expr=.* left=0x3 right=0x4 at=.*selftest_fault\.c',
    "gp": r"#GP general protection",
    "double_panic": r'#PF page fault".* depth=2',
    "after_seal": r"allocation of 64 bytes for too late after the seal",
    "other_core": r'panic core=1 reason="#PF page fault"',
    "all_cores": r'#PF page fault".*\n.*reason="null pointer"',
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_ends_in_a_report(machine, fault):
    text, code = run(machine, cores=2, args=f"fault={fault}")
    assert code == PANIC_CODE, text
    assert re.search(FAULTS[fault], text), text
    assert len(re.findall(r"^panic ", text, re.M)) == 1, text
    if fault not in ("double_panic", "ubsan", "data_exec"):
        where = {"stack_overflow": "recurse", "other_core": "write_null",
                 "all_cores": "(selftest_fault|write_null)"}
        assert re.search(rf"^frame n=\d+ .*at={where.get(fault, 'selftest_fault')}\+", text,
                         re.M), text


def test_nmi_gives_a_report(machine):
    """What an operator's NMI button does to a machine that seems dead: one report."""
    one = machine("selftest", ports=0, cores=2, args="idle_s=30")
    one.console.wait_for("idle state=begin", BOOT_TIMEOUT_S)
    with contextlib.suppress(ConnectionError):
        one.qmp("inject-nmi")  # the machine may end before QEMU answers
    assert one.wait_exit_code(BOOT_TIMEOUT_S) == PANIC_CODE
    text = one.console.text
    assert len(re.findall(r'^panic core=\d reason="NMI"', text, re.M)) == 1, text
    assert "at=hal_wait+" in text


def test_machine_check_gives_a_report(machine):
    one = machine("selftest", ports=0, args="idle_s=30")
    one.console.wait_for("idle state=begin", BOOT_TIMEOUT_S)
    # cpu, bank, status (valid, uncorrected, enabled), mcg_status (in progress), address, misc
    with contextlib.suppress(ConnectionError):  # the machine may end before QEMU answers
        one.qmp("human-monitor-command",
                **{"command-line": "mce 0 1 0xb200000000000000 0x4 0x1000 0"})
    assert one.wait_exit_code(BOOT_TIMEOUT_S) == PANIC_CODE
    assert 'reason="#MC machine check" vector=18' in one.console.text


def test_bad_arguments(machine):
    text, code = run(machine, args="spin_uss=5 cores=99999 at_stop=no")
    assert code == 2
    assert len(re.findall("^argument mistake: ", text, re.M)) == 3, text
    assert 'state=stopped reason="3 mistakes' in text


def test_help(machine):
    text, code = run(machine, args="help")
    assert code == 0
    assert "spin_us=" in text and "start app=" not in text


def test_no_serial_port(image):
    """The machine must not wait for a console that is not there."""
    words = [command.QEMU, "-machine", "q35", "-cpu", "max", "-m", "256", "-nodefaults",
             "-display", "none", "-serial", "none", "-no-reboot",
             "-kernel", image("selftest")]
    assert subprocess.run(words, timeout=BOOT_TIMEOUT_S, check=False).returncode == 0


def test_at_stop_reset(machine):
    """-no-reboot makes QEMU end at a reset."""
    text, code = run(machine, args="at_stop=reset")
    assert code == 0
    assert "exit code=0" in text
