# SPDX-License-Identifier: BSD-2-Clause
"""The rig's own pure parts: results, boot arguments, archives, symbols."""
import dataclasses
import json
import os
import re
import subprocess
import threading
import time
import types

import pytest

from rig import build, cli, options, progress, setup
from rig.apps import L2FWD
from rig.commands import run, test
from rig.machine import cpio, elf, pxe
from rig.machine.console import Console
from rig.measure import judge
from rig.measure import image as image_module
from rig.measure.generator import ProbeLost
from rig.measure.image import RunError, first_frame, image_args, pools_full
from rig.report import record
from rig.testing import outcome, rigtests, unit


def test_compare_takes_medians(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "HISTORY", tmp_path / "history.jsonl")
    for commit, rates in (("aaaa", (100, 110, 900)), ("bbbb+", (220,)), ("cccc", (1,))):
        for rate in rates:
            record.keep({"command": "run l2fwd", "commit": commit,
                         "conditions": {"cores": 1}, "results": {"pps": rate, "note": "x"}})
    text = record.compare("aaaa", "bbbb")
    assert "+100.0 %" in text and "3/1" in text and "note" not in text
    assert record.compare("aaaa", "dddd") == ""


def test_results_have_one_shape():
    result = record.make("run l2fwd", {"cores": 1}, {"lost": 0})
    assert set(result) == {"command", "commit", "conditions", "results"}
    json.dumps(result)


@pytest.mark.parametrize("args, mode", [("", "mac"), ("mode=io", "io"), ("mac_update=off", "io"),
                                        ("mode=macswap mac_update=off", "macswap")])
def test_mode_follows_arguments(args, mode):
    assert L2FWD.mode(args) == mode


def test_network_boot_leaves_its_own_port_out():
    assert image_args("", "pxe-bios") == "ports=3"
    assert image_args("ports=1", "pxe-bios") == "ports=1"
    assert image_args("batch=8", "direct", queues=2) == "batch=8 queues=2"


def test_faults_fail_a_run():
    """Each fault does, whatever the host took; what was not sent, or the rate, never does."""
    good = dict.fromkeys((*judge.FAULTS, "machine_kept", "owner_refusals", "exit_code"), 0)
    good.update(pools_full=True, closed=False)
    host = {"not_sent": 99999, "pps_max_no_loss": 0, "disturbed": ["everything"]}
    assert run.verdict({**good, **host}) == []
    for name in good:
        bad = {**good, name: not good[name]}
        assert run.verdict(bad), name


SHARE = judge.Share(seconds=30.0, steal=0.0, others=0.0, vcpu_waited=0.3, paused=0.01)


@pytest.mark.parametrize("name, value", [("steal", 0.04), ("others", 0.11), ("vcpu_waited", 0.61),
                                         ("paused", 0.06)])
def test_disturbed_by_the_written_rule(name, value):
    assert judge.disturbed(SHARE) == []
    why = judge.disturbed(dataclasses.replace(SHARE, **{name: value}))
    assert len(why) == 1 and f"{value:.0%}" in why[0]


def test_host_share_subtracts_the_run_itself(monkeypatch):
    """Two CPUs for 10 s: 12 s of them used, 7 s by this run, 1 s stolen."""
    class FakeMachine:
        waits = {"CPU 0/TCG": 0, "qemu-system-x86": 0}

        def thread_waits(self):
            return dict(self.waits)

        def pids(self):
            return []
    looks = iter([(100.0, 50.0, 0.0, 2), (110.0, 62.0, 1.0, 2)])
    used = iter([3.0, 10.0])
    monkeypatch.setattr(judge.Host, "_cpus", lambda self: next(looks))
    monkeypatch.setattr(judge.Host, "_own_s", lambda self: next(used))
    machine = FakeMachine()
    host = judge.Host([machine], [])
    machine.waits = {"CPU 0/TCG": 2_500_000_000, "qemu-system-x86": 9_000_000_000}
    share = host.share(paused_us=200_000)
    assert share == judge.Share(10.0, 0.05, 0.25, 0.25, 0.02)


def test_stat_of_the_kernel_is_read():
    text = "cpu  100 0 50 800 20 10 5 30 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\n"
    busy_s, steal_s, cpus = judge.cpu_line(text)
    assert (round(busy_s / judge.TICK_S), round(steal_s / judge.TICK_S), cpus) == (165, 30, 2)
    assert judge.process_s(os.getpid()) > 0 and judge.process_s(1 << 30) == 0


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


def test_symbols_of_the_image(image):
    symbols = elf.Elf(image("l2fwd"))
    offset = symbols.offset("l2fwd_worker_poll")
    assert symbols.function_at(offset) == symbols.function_at(offset + 1) == "l2fwd_worker_poll"
    assert symbols.function_at(1 << 40) is None
    # Both drivers have one of that name, in each file a function of its own.
    text = subprocess.run(["nm", "--defined-only", image("l2fwd")], capture_output=True, text=True,
                          check=True).stdout
    same = [int(line.split()[0], 16) for line in text.splitlines() if line.endswith(" t rx_some")]
    assert len(same) == 2
    assert [symbols.function_at(a - symbols.link_base) for a in same] == ["rx_some", "rx_some"]
    with pytest.raises(KeyError):
        symbols.offset("no_such_function")


def test_unit_cases_are_counted():
    text = ("[==========] Running 3 test(s).\n[       OK ] a\n[  FAILED  ] b\n[  FAILED  ] c_d\n"
            "[==========] 3 test(s) run.\n[  PASSED  ] 1 test(s).\n"
            "[  FAILED  ] 2 test(s), listed below:\n[  FAILED  ] b\n[  FAILED  ] c_d\n")
    assert unit.cases(text) == (1, ["b", "c_d"], [])
    assert unit.cases("no cmocka at all") == (0, [], [])


def test_skipped_unit_cases_have_their_reason():
    text = ("[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\nskip: no such CPU\n"
            "[  SKIPPED ] b\n[ RUN      ] c\n[  SKIPPED ] c\n[  PASSED  ] 1 test(s).\n"
            "[  SKIPPED ] 2 test(s), listed below:\n[  SKIPPED ] b\n[  SKIPPED ] c\n")
    assert unit.cases(text) == (1, [], [("b", "no such CPU"), ("c", "no reason given")])


JUNIT = """<testsuites><testsuite>
<testcase classname="tests.rig.test_x" name="test_a"/>
<testcase classname="tests.rig.test_x" name="test_b[1]"><failure message="x"/></testcase>
<testcase classname="tests.rig.test_x" name="test_c"><skipped message="no kernel"/></testcase>
<testcase classname="tests.rig.test_x" name="test_d"><failure/><error/></testcase>
</testsuite></testsuites>"""


def test_a_failure_that_passes_later_is_flaky_and_said(tmp_path):
    """It is a line of its own and counted, neither passed nor hidden; a real failure stays."""
    path = tmp_path / "a.xml"
    path.write_text(JUNIT)
    asked, said = [], []

    def second(names):
        asked.append(names)
        return outcome.Layer(1, ["tests.rig.test_x.test_d"])
    layer = rigtests.again(rigtests.pytest_cases(path), second, said.append)
    assert asked == [["tests.rig.test_x.test_b[1]", "tests.rig.test_x.test_d"]]
    total = outcome.Total(said.append)
    total.add("rig", layer, 1.0)
    assert total.finish() == 1
    assert said[-5:] == ["skipped rig: tests.rig.test_x.test_c: no kernel",
                         "flaky rig: tests.rig.test_x.test_b[1]",
                         "failed rig: tests.rig.test_x.test_d",
                         "1 passed, 1 failed, 1 flaky, 1 skipped", "1 passed, 1 failed"]


@pytest.mark.parametrize("second", [outcome.Layer(), outcome.Layer(0, ["a"]),
                                    outcome.Layer(0, [], [], [("a", "x")])])
def test_what_did_not_run_again_is_not_flaky(second):
    layer = rigtests.again(outcome.Layer(1, ["a"]), lambda names: second, lambda text: None)
    assert (layer.failed, layer.flaky) == (["a"], [])


CASE = '<testsuites><testsuite><testcase classname="tests.rig.test_x" name="test_a"/>'


@pytest.mark.parametrize("text,passed,code", [
    (CASE + "</testsuite></testsuites>", 1, 2),  # interrupted behind cases that passed
    (CASE, 0, -9), ("", 0, -9), (None, 0, 3)])   # killed while it wrote, or before
def test_a_pytest_that_fails_itself_is_a_failure(monkeypatch, tmp_path, text, passed, code):
    """There is no case to try again, and the last line is there."""
    def ended(command, **_):
        path = next(word.partition("=")[2] for word in command if word.startswith("--junitxml="))
        if text is not None:
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        return types.SimpleNamespace(returncode=code)
    monkeypatch.setattr(rigtests.build, "build", lambda name, log: tmp_path)
    monkeypatch.setattr(rigtests.setup, "linux_kernel", lambda folder, log: None)
    monkeypatch.setattr(rigtests.subprocess, "run", ended)
    said = []
    assert test.run_layers(("rig",), said.append) == 1
    assert said[-3:] == [f"failed rig: pytest ended with {code}",
                         f"{passed} passed, 1 failed, 0 flaky, 0 skipped",
                         f"{passed} passed, 1 failed"]


def test_many_failures_are_not_tried_again():
    names = [str(i) for i in range(rigtests.AGAIN_MOST + 1)]
    layer = rigtests.again(outcome.Layer(9, names), None, None)
    assert layer.failed == names


@pytest.mark.parametrize("words", [[], ["help"], ["--help"], *(
    [*first, command, *last] for command in cli.COMMANDS
    for first, last in ((["help"], []), ([], ["--help"])))])
def test_help(words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    said = capsys.readouterr().out
    assert ended.value.code == 0 and "millrace" in said
    assert [line for line in said.splitlines() if len(line) > 80] == []
    assert words != ["help", "run"] or "--thorough" in said


@pytest.mark.parametrize("words, says", [
    (["nonsense"], "invalid choice"), (["run"], "required"), (["boot"], "required"),
    (["run", "l2fwd", "--boot", "floppy"], "invalid choice"),
    *((["run", "l2fwd", "--cores", cores], "1..64") for cores in ("0", "-1", "65", "x")),
    (["run", "l2fwd", "--seconds", "-1"], "seconds"),
    (["run", "l2fwd", "--json", "/nonexistent/x"], "cannot write /nonexistent/x"),
    (["run", "l2fwd", "--args", "batch=8 at_stop=halt"], "at_stop=halt"),
    (["soak", "--args", "mode=rxonly"], "mode=rxonly"),
    (["run", "l2fwd", "--args", "mode=txonly"], "mode=txonly"),
    (["run", "l2fwd", "--sizes", "60,9000"], "up to 1514 bytes; add --args \"frame_max=9000\""),
    (["run", "l2fwd", "--sizes", "60-2000", "--args", "frame_max=1600"], "up to 1600 bytes"),
    (["tune", "--nic", "foo"], "invalid choice"), (["bench", "l2fwd", "--rounds", "0"], "rounds"),
    (["compare", "dpdk", "--boots", "0"], "boots"),
    (["help", "nonsense"], "invalid choice"),
    (["run", "l2fwd", "--cores", "x"], "wanted is a number"),
    *((["run", "l2fwd", "--sizes", sizes], "60..9018 bytes") for sizes in
      ("10", "60-", "60,,60", "9019", "x", "", "60," * 64 + "60")),
    (["run", "l2fwd", "--boot", "pxe-card"], "--nic ixgbe"),
    (["bench", "l2fwd", "--starts", "0"], "1..1000"), (["tune", "--seconds", "0"], "0.1.."),
    (["tune", "--seconds", "x"], "wanted are seconds"),
    *((["compare", "dpdk", "--nic", nic], "e1000e, ixgbe") for nic in ("foo", "e1000e,", ""))])
def test_bad_command_lines(words, says, capsys):
    """Refused before anything is installed, built or started, with the reason."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2 and says in capsys.readouterr().err


@pytest.mark.parametrize("sizes,args", [("60", ""), ("imix", ""), ("60-1514", "batch=8"),
                                        ("60-9018", "frame_max=100 frame_max=9018")])
def test_sizes_that_the_image_takes(sizes, args):
    assert options.sizes_wrong(sizes, args, L2FWD) is None


@pytest.mark.parametrize("sizes", ["60", "60,594", "imix", "60-1514", "1514-60", "9018"])
def test_sizes_that_the_sender_takes(sizes):
    assert cli.parser().parse_args(["run", "l2fwd", "--sizes", sizes]).sizes == sizes


def test_what_cannot_be_served_is_said_before_a_build(monkeypatch, capsys):
    monkeypatch.setattr(build, "build", None)
    monkeypatch.setattr(setup, "ensure", None)
    assert cli.main(["boot", "--serve", "no-such-if"]) == 2
    assert "no network interface no-such-if" in capsys.readouterr().err




def test_two_builds_of_a_folder_take_turns(tmp_path):
    """Two ninjas in one folder delete each other's files."""
    said, order = [], []

    def second():
        with build.alone(tmp_path, said.append):
            order.append("second")

    with build.alone(tmp_path, said.append):
        other = threading.Thread(target=second)
        other.start()
        while not said:
            other.join(0.01)
        order.append("first")
    other.join()
    assert order == ["first", "second"]
    assert said == [f"build: waiting for another command that builds {tmp_path.name}"]


def test_a_json_file_is_tried_and_not_left(tmp_path):
    assert options.unwritable(str(tmp_path / "a.json")) is None
    assert not (tmp_path / "a.json").exists()
    assert "denied" in options.unwritable("/proc/version") or os.geteuid() == 0


def test_two_runs_in_one_second_have_files_of_their_own(monkeypatch):
    """Same second, same machine: the processes differ."""
    one = types.SimpleNamespace(app="l2fwd", nic="e1000e", boot="direct", cores=1)
    monkeypatch.setattr(time, "strftime", lambda _: "20260101-000000")
    names = set()
    for pid in (100, 101):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        names.add(run.result_name(one))
    assert len(names) == 2


def test_long_commands_are_in_sight(tmp_path):
    """Every so often a line says how far; all output is kept, the status is the command's."""
    said = []
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        status, tail = progress.run(
            ["sh", "-c", "echo '[1/2] one'; sleep 1; echo '[2/2] two' >&2; exit 3"], "build",
            said.append, log=log, every_s=0.2)
    assert status == 3 and tail == "[1/2] one\n[2/2] two\n"
    assert (tmp_path / "log").read_text() == tail
    assert said and re.fullmatch(r"build: \d+ s: \[1/2\] one", said[0])


@pytest.mark.parametrize("sudo, says", [
    (None, "there is no sudo"), ("exit 1", "sudo refuses this user"), ("exit 0", None)])
def test_who_may_not_install_is_told_what_to_hand_on(tmp_path, monkeypatch, sudo, says):
    """Without the right to sudo: that is said, and the line for an administrator."""
    if sudo:
        (tmp_path / "sudo").write_text(f"#!/bin/sh\n{sudo}\n")
        (tmp_path / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    if says is None:
        assert setup._as_root(["gcc"]) == ["sudo"]
        return
    with pytest.raises(setup.SetupError) as error:
        setup._as_root(["gcc", "meson"])
    assert says in str(error.value)
    assert "apt-get install -y --no-install-recommends gcc meson" in str(error.value)


def test_a_library_that_came_later_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(build, "ROOT", tmp_path)
    assert build.found("libdpdk")  # nothing is configured: it will look
    info = tmp_path / "build" / "meson-info"
    info.mkdir(parents=True)
    (info / "intro-dependencies.json").write_text('[{"name": "cmocka"}]')
    assert not build.found("libdpdk") and build.found("cmocka")


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
