# SPDX-License-Identifier: BSD-2-Clause
"""An application outside this tree, from `./millrace new` to its counters; the same application
inside the tree."""
import subprocess

import pytest

from rig import build
from rig.commands import try_image
from rig.machine.wire import Wire, frame

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
    check_changes(folder)


def check_changes(folder):
    """The changes that docs/tutorial.md proposes, each by the lines that stand there."""
    page = (build.ROOT / "docs" / "tutorial.md").read_text()
    changes = [piece.partition("```")[0] for piece in page.split("```c\n")[1:]]
    source = (folder / "main.c").read_text()
    answer, command, rows, argument = changes
    for old, new in (("    buf_batch_free(&frames);\n", answer),
                     ("static const struct kit_app app = {\n",
                      f"{command}\n{argument}\nstatic const struct kit_app app = {{\n{rows}"),
                     ("&kit_arg_table, NULL", "&kit_arg_table, &own_table, NULL")):
        assert source.count(old) == 1
        source = source.replace(old, new)
    (folder / "main.c").write_text(source)
    subprocess.run(["ninja", "-C", str(folder / "build")], check=True)
    ran = millrace("try", folder / "build" / "count.elf", "--frames", 2000, "--sizes", "1514",
                   "--args", "limit=7", "--type", "total", "--type", "set limit=5")
    for text in ["came out port=0 frames=2000", "> total\ntotal ip=1400\n",
                 "> set limit=5\nsetting limit=5\n", "count ended with code 0"]:
        assert text in ran.stdout, ran.stdout
    check_mistake(folder, source)


def check_mistake(folder, source):
    """A frame that is freed twice is no success, though every buffer is home in the end."""
    twice = ("    if (frames.count != 0)\n        buf_free(frames.buf[0]);\n"
             "    buf_batch_free(&frames);\n")
    (folder / "main.c").write_text(source.replace("    buf_batch_free(&frames);\n", twice).replace(
        "    nic_tx(seen->path.txq, &frames);\n", ""))
    subprocess.run(["ninja", "-C", str(folder / "build")], check=True)
    ran = millrace("try", folder / "build" / "count.elf")
    assert ran.returncode == 1 and "times a buffer was handed over by who did not own it" in \
        ran.stdout and "refused=hand-over" in ran.stdout, ran.stdout


@pytest.mark.parametrize("name, why", [
    ("Count", "small letters"), ("my-app", "small letters"), ("1st", "a letter first"),
    ("millrace", "that name already"), ("test", "that name already"),
    ("all", "that name already")])
def test_new_refuses_what_is_no_name(tmp_path, name, why):
    ran = millrace("new", tmp_path / name)
    assert ran.returncode == 2 and why in ran.stdout
    assert not (tmp_path / name).exists()


def test_new_stays_outside():
    """In the tree it would be no application of one's own, and hold the tree it lies in."""
    ran = millrace("new", build.ROOT / "apps" / "mine")
    assert ran.returncode == 2 and "lies in millrace itself" in ran.stdout
    assert not (build.ROOT / "apps" / "mine").exists()


def test_what_new_prints_can_be_typed(tmp_path):
    """Also with a space in the path."""
    ran = millrace("new", tmp_path / "my own" / "count")
    assert ran.returncode == 0
    entered = next(line for line in ran.stdout.splitlines() if line.startswith("  cd "))
    ran = subprocess.run(["sh", "-ec", f"{entered}\ncat .gitignore"], check=True, text=True,
                         stdout=subprocess.PIPE)
    assert "/build*/" in ran.stdout


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
    with Wire(one.port_path(0)) as wire:
        wire.send([*try_image.frames_of(1000), *7 * [frame(0x88B5, 60)]])
        lines = try_image.stats(one, r"port=0 .*rx_packets=1007\b", 20)
        report = read_report(one)
        one.console.send("stop")
        assert one.wait_exit_code(10) == 0
    for text in [*COUNTS[:4], "count=other frames=7"]:
        assert any(text in line for line in lines), lines
    assert report["ports"][0]["counts"] == {"ipv4": 400, "ipv6": 300, "arp": 200, "vlan": 100,
                                            "other": 7}
    assert sum(report["cores"][0]["batch"][1:]) > 0


def test_try_reads_what_comes_back(build_dir):
    """All of 5000 long frames: QEMU stands still when nobody reads, and the console with it."""
    ran = millrace("try", build_dir / "apps" / "l2fwd.elf", "--args", "portmap=(0,0)",
                   "--frames", 5000, "--sizes", "1514")
    assert ran.returncode == 0 and "came out port=0 frames=5000" in ran.stdout, ran.stdout


def test_try_many(build_dir):
    """Two ports and cores; answers of commands, in their order, without what is not theirs."""
    ran = millrace("try", build_dir / "apps" / "l2fwd.elf", "--ports", 2, "--cores", 2,
                   "--sizes", "60,1514", "--type", "set spin_us=3", "--type", "nonsense")
    assert ran.returncode == 0, ran.stdout
    assert "sent port=0 frames=1000 bytes_each=60,1514 ipv4=400" in ran.stdout
    assert "came out port=0 frames=0\ncame out port=1 frames=1000\n" in ran.stdout
    typed = "> set spin_us=3\nsetting spin_us=3\n> nonsense\nconsole error="
    assert typed in ran.stdout, ran.stdout


@pytest.mark.parametrize("words, why", [
    (["nothere.elf"], "No such file"), ([build.ROOT / "README.md"], "no image"),
    (["{elf}", "--args", "qeues=3"], "millrace: argument mistake: arg text=\"qeues=3\""),
    (["{elf}", "--args", "help"], "spin_us=200"), (["{elf}", "--sizes", "10"], "60..9018"),
    (["{elf}", "--args", "at_stop=halt"], "waits until the machine is off")])
def test_try_says_why_not(build_dir, words, why):
    """Before QEMU starts, or in the words of the image."""
    elf = build_dir / "apps" / "ethertypes.elf"
    ran = millrace("try", *(elf if word == "{elf}" else word for word in words))
    assert ran.returncode == 2 and why in ran.stdout and "Traceback" not in ran.stdout, ran.stdout
