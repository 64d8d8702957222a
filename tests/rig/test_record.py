# SPDX-License-Identifier: BSD-2-Clause
"""Results that are kept, and the comparison of two commits."""
import json
import os
import time
import types

from rig.commands import run
from rig.report import record


def test_compare_takes_medians(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RESULTS", tmp_path)
    monkeypatch.setattr(record, "HISTORY", tmp_path / "history.jsonl")
    for commit, rates in (("first", (100, 110, 900)), ("second+", (220,)), ("third", (1,))):
        for rate in rates:
            record.keep({"command": "run l2fwd", "commit": commit,
                         "conditions": {"cores": 1}, "results": {"pps": rate, "note": "x"}})
    text = record.compare("first", "second")
    assert "+100.0 %" in text and "3/1" in text and "note" not in text
    assert record.compare("first", "fourth") == ""


def test_results_have_one_shape():
    result = record.make("run l2fwd", {"cores": 1}, {"lost": 0})
    assert set(result) == {"command", "commit", "conditions", "results"}
    json.dumps(result)


def test_two_runs_in_one_second_have_files_of_their_own(monkeypatch):
    """Same second, same machine: the processes differ."""
    one = types.SimpleNamespace(app="l2fwd", nic="e1000e", boot="direct", cores=1)
    monkeypatch.setattr(time, "strftime", lambda _: "20260101-000000")
    names = set()
    for pid in (100, 101):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        names.add(run.result_name(one))
    assert len(names) == 2


def test_a_path_is_said_as_it_can_be_typed(monkeypatch, tmp_path):
    path = record.RESULTS / "run.svg"
    monkeypatch.chdir(record.ROOT)
    assert str(record.shown(path)) == "results/run.svg"
    monkeypatch.chdir(tmp_path)
    assert record.shown(path) == path
