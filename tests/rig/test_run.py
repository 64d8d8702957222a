# SPDX-License-Identifier: BSD-2-Clause
"""The main job: every way to boot, real frames, none lost, reordered or changed."""
import json
import os
import signal
import subprocess
import tempfile

import pytest

from rig import build
from rig.apps import L2FWD
from rig.commands.run import counted_boot_ms
from rig.measure.judge import clean

RATE_PPS = 20000  # a tenth of what holds: below, the host's stalls do not matter
BOOT_BUDGET_MS = 60
IMAGE_BUDGET_BYTES = 288 * 1024  # 32 of them are names of functions


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("boot", ["direct", "linux", "pxe-bios", "pxe-uefi"])
def test_boot_and_forward(forwarding, boot, cores):
    rig = forwarding(boot=boot, cores=cores)
    answer = rig.traffic.run(RATE_PPS, frames=40000)
    assert clean(answer), answer
    assert answer["good"] == 40000
    rig.stop_clean()


def run_l2fwd(tmp_path, *words):
    """./millrace run l2fwd, whole: (exit status, what it said, its JSON)."""
    out = tmp_path / "result.json"
    ran = subprocess.run([str(build.ROOT / "millrace"), "run", "l2fwd", "--boot", "direct",
                          "--json", str(out), *words], cwd=tmp_path, check=False,
                         capture_output=True, text=True, timeout=900)
    text = ran.stdout + ran.stderr
    assert out.exists(), text
    return ran.returncode, text, json.loads(out.read_text())


def test_one_command(tmp_path):
    """Exit status, table, JSON of the agreed shape."""
    status, text, result = run_l2fwd(tmp_path, "--frames", "50000")
    assert status == 0, text
    assert set(result) == {"command", "commit", "conditions", "results"}
    numbers = result["results"]
    for name in ("offered_pps", "sent", "forwarded", "lost", "not_sent", "reordered", "corrupt",
                 "duplicates", "pps_saturated", "pps_max_no_loss", "boot_ms", "owner_refusals"):
        assert isinstance(numbers[name], (int, float)), name
    assert numbers["forwarded"] == numbers["sent"] >= 50000
    assert numbers["lost"] == numbers["reordered"] == numbers["corrupt"] == 0
    assert numbers["pps_saturated"] > 0 and numbers["offered_pps"] > 0
    assert set(numbers["host"]) == {"seconds", "steal", "others", "vcpu_waited", "paused"}
    assert numbers["machine_received"] == numbers["machine_sent"] >= numbers["sent"]


def test_one_lost_frame_fails_the_command(tmp_path):
    """One frame of all that the verdict wants vanishes, in the rig: always found, and the image's
    own counters say that it was not there."""
    status, text, result = run_l2fwd(tmp_path, "--frames", "50000", "--drop-one-in", "50000",
                                     "--no-count")
    assert status == 1 and "FAILED: lost=1" in text, text
    numbers = result["results"]
    assert numbers["lost"] == 1 and numbers["sent"] == numbers["forwarded"] + 1
    assert numbers["machine_received"] == numbers["machine_sent"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_from_outside_it_leaves_nothing(number):
    """Terminated, or the terminal is closed: machines and their folders go too."""
    from tests.rig import lan
    with tempfile.TemporaryDirectory(prefix="m") as folder:  # sockets want a short path
        ran = subprocess.Popen([str(build.ROOT / "millrace"), "run", "l2fwd", "--boot", "direct"],
                               stdout=subprocess.PIPE, text=True,
                               preexec_fn=lan.as_from_a_terminal,
                               env={**os.environ, "TMPDIR": folder})
        with ran:
            assert any(line.startswith("verdict:") for line in ran.stdout)
            assert os.listdir(folder)
            ran.send_signal(number)
            assert ran.wait(60) == 130
        assert os.listdir(folder) == []


def test_time_to_first_frame(build_dir):
    """First instruction to first forwarded frame, in counted guest time (2 ns an instruction)."""
    boot_ms = counted_boot_ms(L2FWD, build_dir, "")
    assert 0 < boot_ms <= BOOT_BUDGET_MS


def test_image_size(image):
    path = os.path.splitext(image("l2fwd"))[0] + ".img"
    assert os.path.getsize(path) <= IMAGE_BUDGET_BYTES


def test_boot_says_what_memory_it_uses(forwarding):
    rig = forwarding()
    match = rig.console.wait_for(r"page_table_bytes=(\d+)", 1)
    assert int(match.group(1)) > 0
    rig.console.wait_for(r"text_bytes=\d+ .*bss_bytes=\d+", 1)
