# SPDX-License-Identifier: BSD-2-Clause
"""The rig's own pure parts: results, pictures, boot arguments, archives, symbols."""
import json
import xml.etree.ElementTree as ElementTree

import pytest

from rig import build, cli, cpio, elf, pxe, report, run_l2fwd


def test_picture_is_well_formed(tmp_path):
    path = tmp_path / "a.svg"
    histogram = [[10.0, 5], [100.0, 990], [5000.0, 5]]
    report.picture(path, "a <title> & more", histogram, [(1000, True), (2000, False)], 1000)
    tree = ElementTree.parse(path)
    assert len(list(tree.iter("{http://www.w3.org/2000/svg}circle"))) == 2
    report.picture(path, "nothing came back", [], [], 0)
    ElementTree.parse(path)


def test_compare_takes_medians(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(report, "HISTORY", tmp_path / "history.jsonl")
    for commit, rates in (("aaaa", (100, 110, 900)), ("bbbb+", (220,)), ("cccc", (1,))):
        for rate in rates:
            report.keep({"command": "run l2fwd", "commit": commit,
                         "conditions": {"cores": 1}, "results": {"pps": rate, "note": "x"}})
    text = report.compare("aaaa", "bbbb")
    assert "+100.0 %" in text and "3/1" in text and "note" not in text
    assert report.compare("aaaa", "dddd") == ""


def test_results_have_one_shape():
    result = report.make("run l2fwd", {"cores": 1}, {"lost": 0})
    assert set(result) == {"command", "commit", "conditions", "results"}
    json.dumps(result)


@pytest.mark.parametrize("args, mode", [("", "mac"), ("mode=io", "io"), ("mac_update=off", "io"),
                                        ("mode=macswap mac_update=off", "macswap")])
def test_mode_follows_arguments(args, mode):
    assert run_l2fwd.traffic_mode(args) == mode


def test_network_boot_leaves_its_own_port_out():
    assert run_l2fwd.image_args("", "pxe-bios") == "ports=3"
    assert run_l2fwd.image_args("ports=1", "pxe-bios") == "ports=1"
    assert run_l2fwd.image_args("batch=8", "direct", queues=2) == "batch=8 queues=2"


def test_faults_fail_a_run():
    good = {name: 0 for name in ("lost", "reordered", "corrupt", "duplicates",
                                 "owner_refusals", "exit_code")}
    good.update(pools_full=True, pps_max_no_loss=5)
    assert run_l2fwd.verdict(good) == []
    for name in good:
        bad = {**good, name: 0 if name == "pps_max_no_loss" else not good[name]}
        assert run_l2fwd.verdict(bad), name


def test_pools_are_judged():
    full = "pool name=a core=0 total=8 free=8 missing=0"
    assert run_l2fwd.pools_full([full])
    assert not run_l2fwd.pools_full([])
    assert not run_l2fwd.pools_full([full, "pool name=b core=1 total=8 free=7 missing=1"])


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
    with pytest.raises(KeyError):
        symbols.offset("no_such_function")


def test_unit_cases_are_counted():
    text = ("[==========] Running 3 test(s).\n[       OK ] a\n[  FAILED  ] b\n[  FAILED  ] c_d\n"
            "[==========] 3 test(s) run.\n[  PASSED  ] 1 test(s).\n"
            "[  FAILED  ] 2 test(s), listed below:\n[  FAILED  ] b\n[  FAILED  ] c_d\n")
    assert build.cases(text) == (1, ["b", "c_d"])
    assert build.cases("no cmocka at all") == (0, [])


@pytest.mark.parametrize("words", [[], ["--help"], ["run", "--help"]])
def test_help(words, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 0 and "millrace" in capsys.readouterr().out


@pytest.mark.parametrize("words", [["nonsense"], ["run"], ["run", "l2fwd", "--boot", "floppy"],
                                   ["boot"]])
def test_bad_command_lines(words):
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
