# SPDX-License-Identifier: BSD-2-Clause
"""Machines that lack something: a clear line each, going on where that is possible."""
import os

import pytest

from rig.machine import cpio
from rig.measure.judge import clean

NO_MEMORY_CODE = 3
NO_PORT_CODE = 4
NO_ROLE_CODE = 6


def test_no_nic(machine):
    one = machine("l2fwd", ports=0)
    assert one.wait_exit_code(15) == NO_PORT_CODE
    assert one.console.find(r"error=no_ports remedy="), one.console.text


@pytest.mark.parametrize("nic", ["virtio-net-pci", "e1000"])
def test_a_nic_without_driver_is_named(machine, nic):
    one = machine("l2fwd", nic=nic)
    assert one.wait_exit_code(15) == NO_PORT_CODE
    assert one.console.find(r"1af4:1000|1af4:1041|8086:100e"), one.console.text


def test_one_nic_does_not_reflect_unasked(machine):
    one = machine("l2fwd", ports=1)
    assert one.wait_exit_code(15) == NO_ROLE_CODE
    assert one.console.find(r'^nic0 role=idle reason="has no partner; portmap=\(0,0\) '), \
        one.console.text


def test_one_nic_forwards_to_itself(forwarding):
    rig = forwarding("portmap=(0,0)", ports=1, lanes="0>0")
    answer = rig.traffic.run(5000, frames=5000)
    assert clean(answer) and answer["good"] == 5000
    assert rig.console.find(r"port=0 to=0")
    rig.stop_clean()


def test_port_left_out_by_mask(forwarding):
    rig = forwarding(ports=3, args="ports=5 portmap=(0,2)", lanes="0>2,2>0")
    assert clean(rig.traffic.run(5000, frames=5000))
    assert rig.traffic.run(1000, frames=100, lanes="0>1", quiet_ms=100)["good"] == 0


def test_too_little_memory(machine):
    one = machine("l2fwd", args="pool_size=1000000", memory_mib=64)
    assert one.wait_exit_code(15) == NO_MEMORY_CODE
    assert one.console.find(r"pool_size"), one.console.text[-1500:]


def test_cpu_without_ssse3(forwarding):
    """The slower way of swapping addresses."""
    rig = forwarding("mode=macswap", cpu="max,-ssse3")
    assert clean(rig.traffic.run(5000, frames=5000))
    rig.stop_clean()


def test_hundreds_of_pci_functions(forwarding):
    """144 functions that no driver wants, before the ports in the order of the scan."""
    crowd = []
    for slot in range(6, 24):
        for fn in range(8):
            crowd += ["-device", "virtio-rng-pci,disable-legacy=on,multifunction=on,"
                                 f"addr={slot:#x}.{fn}"]
    rig = forwarding(extra=crowd)
    found = rig.console.find(r"^pci functions=(\d+) .* network_nvme=2 ")
    assert found and int(found[0].group(1)) >= 144 + 2, rig.console.text[:3000]
    assert clean(rig.traffic.run(5000, frames=2000))
    rig.stop_clean()


@pytest.mark.parametrize("cpu", ["max,-nx", "qemu64,-nx"])
def test_execute_disable_is_off(forwarding, cpu):
    """What the firmware option of that name does: said in a line, and it forwards."""
    rig = forwarding(cores=2, cpu=cpu)
    assert rig.console.find(r'^paging nx=off reason=".*" remedy='), rig.console.text[:3000]
    assert clean(rig.traffic.run(5000, frames=5000))
    rig.stop_clean()


def test_small_machine_forwards(forwarding):
    rig = forwarding(memory_mib=32)
    assert clean(rig.traffic.run(5000, frames=5000))
    rig.stop_clean()


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_module_cut_short(forwarding, tmp_path, keep):
    """The archive ends inside a file: said so, and the machine goes on."""
    whole = cpio.pack([("first", b"1" * 1000), ("second", os.urandom(100000))])
    path = tmp_path / "cut.cpio"
    path.write_bytes(whole[:int(len(whole) * keep)])
    rig = forwarding(initrd=str(path))
    assert rig.console.find(r"(?i)cut.short|truncated|ends inside"), rig.console.text[-2500:]
    assert clean(rig.traffic.run(5000, frames=2000))
    rig.stop_clean()


def test_cores_that_are_not_there(forwarding):
    """The tables list three more cores that firmware left disabled; cores=8 asks for more."""
    rig = forwarding(cores=1, smp="1,maxcpus=4", args="cores=8")
    assert clean(rig.traffic.run(5000, frames=2000))
    assert rig.console.find(r"cores_disabled=3|cores.*running=1"), rig.console.text[-2500:]
    rig.stop_clean()


def test_no_serial_input_needed(forwarding):
    """Noise on the console is answered, not obeyed."""
    rig = forwarding()
    mark = rig.console.mark()
    for noise in ("", "x" * 3000, "set", "set =", "\x00\xff\x1b[A", "stopp"):
        rig.console.send(noise)
    rig.console.send("help")
    rig.console.wait_for(r"(?i)stop.*report|report", 5, since=mark)
    assert clean(rig.traffic.run(5000, frames=2000))
    rig.stop_clean()
