# SPDX-License-Identifier: BSD-2-Clause
"""Counters and console commands against what the traffic program saw; rxonly and txonly."""
import re
import time

import pytest

from rig.measure.judge import clean


def grown(before, after, port, name):
    return after["ports"][port][name] - before["ports"][port][name]


def assert_times_add_up(core):
    """Each moment of a core's loop is in one of three classes: within 1 % in any report."""
    classes_us = core["busy_us"] + core["spin_us"] + core["halt_us"]
    assert abs(classes_us - core["elapsed_us"]) <= 0.01 * core["elapsed_us"], core


@pytest.mark.parametrize("args", ["poll=always", "poll=adaptive", "poll=irq", "irq=none",
                                  "poll=irq irq=intx"])
def test_times_add_up(forwarding, args):
    rig = forwarding(args=args, cores=2)
    before = rig.report()
    assert clean(rig.traffic.run(5000, frames=5000))
    time.sleep(0.5)
    after = rig.report()
    for one, two in zip(before["cores"], after["cores"]):
        assert_times_add_up(two)
        assert two["busy_us"] > one["busy_us"]
    for core in rig.stop_clean()["cores"]:
        assert_times_add_up(core)


@pytest.mark.parametrize("args, awake", [("irq=none", [0, 1]), ("irq=intx", [1])])
def test_a_core_that_no_interrupt_reaches_never_arms(forwarding, args, awake):
    rig = forwarding(args=args, cores=2)
    assert clean(rig.traffic.run(2000, frames=1000))
    time.sleep(0.3)
    cores = rig.report()["cores"]
    assert [i for i in (0, 1) if cores[i]["arms"] == 0] == awake
    assert [i for i in (0, 1) if cores[i]["wakes"] == 0] == awake


def test_counters_agree_with_the_wire(forwarding):
    rig = forwarding()
    before = rig.report()
    answer = rig.traffic.run(5000, frames=4000, sizes="60,1000")
    assert clean(answer)
    after = rig.report()
    for port in (0, 1):
        assert grown(before, after, port, "rx_packets") == 2000
        assert grown(before, after, port, "tx_packets") == 2000
        # Sizes are without CRC; cards count it (82574 datasheet: good octets include it).
        for name in ("rx_bytes", "tx_bytes"):
            assert grown(before, after, port, name) in (1000 * 1060, 1000 * 1060 + 4 * 2000)
        assert sum(after["ports"][port]["drops"].values()) == 0
    core = after["cores"][0]
    assert core["packets"] - before["cores"][0]["packets"] == 4000
    found = [two - one for one, two in zip(before["cores"][0]["batch"], core["batch"])]
    assert sum(size * turns for size, turns in enumerate(found)) <= 4000
    assert sum(found[1:]) > 0
    assert after["first_frame_us"] >= after["boot_us"] > 0
    assert_times_add_up(core)


def test_console_commands(forwarding):
    rig = forwarding()
    rig.traffic.run(5000, frames=1000)
    for command, pattern in (("stats", r"(?i)port"), ("pools", r"^pool .*free="),
                             ("trace", r"(?i)arm|wake|link"), ("help", r"report")):
        mark = rig.console.mark()
        rig.console.send(command)
        rig.console.wait_for(pattern, 3, since=mark)
    mark = rig.console.mark()
    rig.console.send("reprot")
    rig.console.wait_for(r"(?i)reprot|unknown|help", 3, since=mark)
    rig.stop_clean()


def test_statistics_period(forwarding):
    """A look each second of the machine's own time; later only by what the host took."""
    rig = forwarding(args="stats_s=1")
    mark = rig.console.mark()
    core = rig.watch(4)[0]
    looks = [int(found.group(1)) for line in rig.console.lines[mark:]
             if (found := re.match(r"stats? uptime_us=(\d+)", line))]
    assert len(looks) >= 2, rig.console.lines[mark:]
    for one, two in zip(looks, looks[1:]):
        assert 0.9e6 < two - one < 1.1e6 + core.host_us, (looks, core)


def test_rxonly_drops_and_counts(machine, traffic_program):
    from rig.measure.image import read_report
    from rig.measure.generator import Traffic
    one = machine("l2fwd", args="mode=rxonly")
    with Traffic(traffic_program, one, lanes="0>1,1>0") as traffic:
        one.console.wait_for(r"state=forwarding", 15)
        before = read_report(one)
        answer = traffic.run(5000, frames=2000, mode="io", quiet_ms=100)
        assert answer["received"] == 0
        after = read_report(one)
        assert grown(before, after, 0, "rx_packets") == 1000
        assert grown(before, after, 0, "tx_packets") == 0


@pytest.mark.parametrize("size", [60, 1514])
def test_txonly_sends(machine, traffic_program, size):
    from rig.measure.generator import Traffic
    one = machine("l2fwd", args=f"mode=txonly tx_size={size} tx_count=20000")
    with Traffic(traffic_program, one) as traffic:
        ports = traffic.sink(3000)
    assert all(port["frames"] == 20000 for port in ports), ports
    assert all(port["bytes"] == size * 20000 for port in ports), ports


def echo_until_quiet(console, text, quiet_s=3, limit=200):
    """Sends `text`, then sends back every line that comes; returns those lines."""
    at = console.mark()
    first = at
    console.send(text)
    quiet_at = time.monotonic() + quiet_s
    while time.monotonic() < quiet_at and at - first < limit:
        for line in console.lines[at:]:
            console.send(line)
            at += 1
            quiet_at = time.monotonic() + quiet_s
        time.sleep(0.02)
    return console.lines[first:at]


@pytest.mark.parametrize("text", ["set spin_us=500", "set spin_us=banana", "nonsense",
                                  "x" * 200])
def test_a_line_that_echoes_ends(forwarding, text):
    """Terminal servers and modems send back what they get."""
    console = forwarding().console
    said = echo_until_quiet(console, text)
    assert 1 <= len(said) <= 10, said


@pytest.mark.parametrize("text", ["stats", "report", "pools", "trace", "args", "help"])
def test_an_echoed_answer_is_no_command(forwarding, text):
    console = forwarding().console
    alone = console.mark()
    console.send(text)
    time.sleep(2)
    alone = len(console.lines) - alone
    said = echo_until_quiet(console, text)
    assert len(said) <= alone + 40, said[:100]  # the trace grows meanwhile
