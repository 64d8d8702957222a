# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace test FILE|NAME`: what a word means, and that nothing else is built and run."""
import subprocess
import sys

import pytest

from rig import build, cli, setup
from rig.testing.names import MesonTest, Names, UnknownTest, meson_tests

RING = build.ROOT / "tests" / "unit" / "core" / "ring_test.c"
ARGS = build.ROOT / "tests" / "rig" / "test_args.py"


@pytest.fixture(name="names")
def _names():
    return Names([MesonTest("core-ring", [str(RING)], ["tests/unit/core/ring_test"]),
                  MesonTest("tidy", [], [])])


@pytest.mark.parametrize("word, unit, rig", [
    ("core-ring", ["core-ring"], []), ("tidy", ["tidy"], []), ("ring", ["core-ring"], []),
    ("ring_test.c", ["core-ring"], []), ("tests/unit/core/ring_test.c", ["core-ring"], []),
    ("test_args", [], [str(ARGS)]), ("args", [], [str(ARGS)]), ("test_args.py", [], [str(ARGS)]),
    ("tests/rig/test_args.py", [], [str(ARGS)]),
    ("tests/rig/test_args.py::test_run_time_limit", [], [f"{ARGS}::test_run_time_limit"]),
    ("args::test_run_time_limit", [], [f"{ARGS}::test_run_time_limit"]),
    ("test_ring_is_found_here[ring-1]", [], [f"{__file__}::test_ring_is_found_here[ring-1]"])])
def test_what_a_word_means(names, word, unit, rig):
    """A unit test by Meson's name, by its file or the file's name; a rig file, and a case."""
    found = names.find(word)
    assert (found.unit, found.rig) == (unit, rig)


@pytest.mark.parametrize("word,number", [("ring", 1), ("ring", 2)])
def test_ring_is_found_here(names, word, number):
    """Two words that mean the same are run once."""
    chosen = names.find(word)
    for _ in range(number):
        chosen.add(names.find(word))
    assert chosen.unit == ["core-ring"]
    assert names.targets(chosen.unit) == ["tests/unit/core/ring_test"]


def test_a_case_of_a_cmocka_program_is_found(names):
    """By the name that the program lists: its program is run."""
    case = next(iter(name for name, paths in names._unit_cases.items() if RING in paths))
    assert names.find(case).unit == ["core-ring"]


@pytest.mark.parametrize("word, near", [
    ("rnig", "ring"), ("test_arg", "args"), ("args::test_run_limit", "test_run_time_limit"),
    ("worker_poll", "")])
def test_near_names_are_said(names, word, near):
    with pytest.raises(UnknownTest, match=f"no test is called {word}.*{near}"):
        names.find(word)


@pytest.mark.parametrize("words, says", [
    (["rig", "tests/rig/nosuch.py"], "there is no file tests/rig/nosuch.py"),
    (["tests/rig/test_arg.py"], "near: args"),
    (["unit", "tests/tidy.py"], "name them without the layer"),
    (["rig", "unit"], "one layer"), (["ring", "unit"], "one layer")])
def test_what_cannot_be_there_is_said_before_anything_is_built(monkeypatch, capsys, words, says):
    monkeypatch.setattr(setup, "ensure", None)
    with pytest.raises(SystemExit) as ended:
        cli.main(["test", *words])
    assert ended.value.code == 2 and says in capsys.readouterr().err


def test_every_unit_test_of_a_file_is_found():
    """Meson's own list: each program of tests/unit has its file, and a program to build."""
    folder = build.configure("build", lambda text: None)
    tests = meson_tests(folder)
    files = {source for one in tests for source in one.sources}
    assert str(RING) in files
    assert all(one.targets for one in tests if one.sources)
    assert len(files) > 40


def test_one_test_runs_alone():
    """The command itself: one program, its cases counted; a name that is none, refused."""
    ran = subprocess.run([sys.executable, str(build.ROOT / "millrace"), "test", "core-ring"],
                         capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.splitlines()[-1].endswith(" passed, 0 failed")
    assert "test: unit:" in ran.stdout and "test: rig:" not in ran.stdout
    ran = subprocess.run([sys.executable, str(build.ROOT / "millrace"), "test", "rnig"],
                         capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 2 and "did you mean" in ran.stderr
