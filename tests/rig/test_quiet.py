# SPDX-License-Identifier: BSD-2-Clause
"""The network that machines were booted from stays as it was: two machines are booted by
`./millrace boot --serve` on a bridge with somebody else's DHCP server and two more hosts.
"""
import contextlib
import os
import select
import socket
import struct
import subprocess
import sys
import time

import pytest

PINGS = 40
PING_GAP_S = 0.05
UNKNOWN_MAC = bytes.fromhex("020000000002")  # what mode=mac sends to: a switch floods it


@pytest.mark.parametrize("args, first", [("mode=mac", False), ("mode=io", False),
                                         ("mode=io", True)])
def test_the_boot_network_stays_quiet(image, args, first):
    """`first`: the management port comes before the test ports in PCI order."""
    from tests.rig import lan
    lan.need("dnsmasq", tap=True)
    path = os.path.splitext(image("l2fwd"))[0] + ".img"
    lan.again_in_namespace(__file__, "machines", path, args, "first" if first else "last",
                           timeout_s=600)


# ---- inside the namespace ----

def management_port(number, first):
    where = "bus=pcie.0,addr=0x3" if first else "bus=rpboot"
    bus = [] if first else ["-device",
                            "pcie-root-port,id=rpboot,bus=pcie.0,addr=0x18,chassis=40"]
    return bus + ["-netdev", f"tap,id=boot,ifname=tap{number},script=no,downscript=no",
                  "-device", f"e1000e,{where},netdev=boot,mac=52:54:00:aa:bb:0{number},"
                             "bootindex=1"]


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def echo_request(number):
    head = struct.pack("!BBHHH", 8, 0, 0, 77, number)
    return struct.pack("!BBHHH", 8, 0, checksum(head), 77, number)


def pinger(address):
    """A host that pings another for each line it reads, beside frames that a switch floods."""
    icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    flood = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    flood.bind(("v1", 0))
    frame = UNKNOWN_MAC + flood.getsockname()[4] + b"\x88\xb5" + bytes(50)
    for _ in sys.stdin:
        answers = set()
        for number in range(PINGS):
            icmp.sendto(echo_request(number), (address, 0))
            flood.send(frame)
            flood.send(b"\xff" * 6 + frame[6:])
            until = time.monotonic() + PING_GAP_S + (2 if number + 1 == PINGS else 0)
            while len(answers) <= number and time.monotonic() < until:
                if select.select([icmp], [], [], max(0, until - time.monotonic()))[0]:
                    kind, _, _, ident, seq = struct.unpack("!BBHHH", icmp.recv(2048)[20:28])
                    if (kind, ident) == (0, 77):
                        answers.add(seq)
            time.sleep(PING_GAP_S)
        print(len(answers), flush=True)


def ping(host):
    host.stdin.write("go\n")
    host.stdin.flush()
    return int(host.stdout.readline())


def check(machines, watches, host):
    for machine, watch in zip(machines, watches):
        machine.console.wait_for(r"^boot cmdline=", 240)
        watch.take()  # so far the loader's
    for machine in machines:
        machine.console.wait_for(r"state=forwarding", 60)
        assert machine.console.find(r"^nic[02] role=management "), machine.console.text
    answers = ping(host)
    frames = [watch.take() for watch in watches]
    assert [len(some) for some in frames] == [0, 0], [some[:2] for some in frames]
    assert answers == PINGS
    for machine in machines:
        assert len(machine.console.lines) < 500
        machine.console.send("stop")
        assert machine.wait_exit_code(30) == 0
    assert [len(watch.take()) for watch in watches] == [0, 0]


def inside(image, args, first):
    from tests.rig import lan
    from rig.machine.qemu import Machine
    lan.bridge(taps=2)
    watches = [lan.Watch(f"tap{number}") for number in range(2)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with contextlib.ExitStack() as stack:
        def ends(process):
            stack.callback(process.wait)
            stack.callback(process.kill)
            return process
        ends(lan.dhcp_server())
        ends(lan.host(12, "sleep 1000"))
        host = ends(lan.host(11, f"{sys.executable} {__file__} pinger 192.168.7.12", **pipes))
        lan.read_until(ends(lan.serve(image, args)), "state=running")
        assert ping(host) == PINGS, "before any machine"
        machines = [stack.enter_context(Machine(image, instead=management_port(number, first)))
                    for number in range(2)]
        check(machines, watches, host)


if __name__ == "__main__":
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__)))))
    if sys.argv[1] == "pinger":
        pinger(sys.argv[2])
    else:
        inside(sys.argv[2], sys.argv[3], sys.argv[4] == "first")
