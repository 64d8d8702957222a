# SPDX-License-Identifier: BSD-2-Clause
"""Builds and installations: one at a time, in sight, and who may not is told."""
import os
import re
import threading

import pytest

from rig import build, progress, setup


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
