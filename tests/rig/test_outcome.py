# SPDX-License-Identifier: BSD-2-Clause
"""What came of tests: counted, tried again, said at the end."""
import types

import pytest

from rig.commands import test
from rig.testing import outcome, rigtests, unit


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
