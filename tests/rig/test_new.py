# SPDX-License-Identifier: BSD-2-Clause
"""An application outside this tree, from `./millrace new` to its counters; the same application
inside the tree."""
import subprocess

import pytest

from rig import build
from rig.commands import try_image

COUNTS = ["count=ipv4 frames=400", "count=ipv6 frames=300", "count=arp frames=200",
          "count=vlan frames=100", "count=other frames=0"]


def millrace(*words):
    return subprocess.run([str(build.ROOT / "millrace"), *map(str, words)], check=False,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_new_application_builds_and_boots(tmp_path):
    """The printed commands, one after the other."""
    folder = tmp_path / "count"
    ran = millrace("new", folder)
    assert ran.returncode == 0, ran.stdout
    commands = ran.stdout.partition("next:\n")[2].partition("main.c is")[0]
    assert "try build/count.elf" in commands
    ran = subprocess.run(["sh", "-ec", commands], check=False, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert ran.returncode == 0, ran.stdout[-3000:]
    for text in [*COUNTS, "count ended with code 0"]:
        assert text in ran.stdout, ran.stdout[-3000:]
    ran = subprocess.run([str(folder / "build" / "count")], check=False, text=True,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    assert ran.returncode == 4 and "count error=no_ports" in ran.stdout, ran.stdout


@pytest.mark.parametrize("name", ["Count", "my-app", "1st", "millrace"])
def test_new_refuses_what_is_no_name(tmp_path, name):
    ran = millrace("new", tmp_path / name)
    assert ran.returncode == 2 and "small letters" in ran.stdout
    assert not (tmp_path / name).exists()


def test_new_overwrites_nothing(tmp_path):
    (tmp_path / "count").mkdir()
    (tmp_path / "count" / "main.c").write_text("mine")
    ran = millrace("new", tmp_path / "count")
    assert ran.returncode == 2 and "already" in ran.stdout
    assert (tmp_path / "count" / "main.c").read_text() == "mine"


def test_ethertypes_counts(machine):
    from rig.measure.image import read_report
    one = machine("ethertypes", ports=1)
    one.console.wait_for(r"^ethertypes state=running", 20)
    try_image.stats(one, r"port=0 link=up", 10)
    with try_image.plug(one.port_path(0)) as wire:
        count = try_image.send(wire, [*try_image.FRAMES, (0x88B5, 7)])
        lines = try_image.stats(one, rf"port=0 .*rx_packets={count}\b", 20)
        report = read_report(one)
        one.console.send("stop")
        assert one.wait_exit_code(10) == 0
    for text in [*COUNTS[:4], "count=other frames=7"]:
        assert any(text in line for line in lines), lines
    assert report["ports"][0]["counts"] == {"ipv4": 400, "ipv6": 300, "arp": 200, "vlan": 100,
                                            "other": 7}
    assert sum(report["cores"][0]["batch"][1:]) > 0
