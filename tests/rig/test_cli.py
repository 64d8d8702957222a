# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what is said, and what is refused before anything is started."""
import os

import pytest

from rig import build, cli, options, setup
from rig.apps import L2FWD


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
    (["soak", "--cards"], "--cards: needs --seeds"),
    (["soak", "--seeds", "5", "--net", "5"], "one of them at a time"),
    (["soak", "--seeds", "5", "--nic", "ixgbe"], "--cards simulates ixgbe"),
    (["soak", "--net", "5", "--nic", "ixgbe"], "boot no machine"),
    (["count", "--args", "poll=always batch=4"], "batch=4: count says"),
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


def test_a_json_file_is_tried_and_not_left(tmp_path):
    assert options.unwritable(str(tmp_path / "a.json")) is None
    assert not (tmp_path / "a.json").exists()
    assert "denied" in options.unwritable("/proc/version") or os.geteuid() == 0
