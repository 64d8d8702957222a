# SPDX-License-Identifier: BSD-2-Clause
"""The main job: every way to boot, real frames, none lost, reordered or changed."""
import json
import subprocess

import pytest

from rig import build
from rig.run_l2fwd import clean, counted_boot_ms

RATE_PPS = 20000  # a tenth of what holds: below, the host's stalls do not matter
BOOT_BUDGET_MS = 60
IMAGE_BUDGET_BYTES = 256 * 1024


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("boot", ["direct", "linux", "pxe-bios", "pxe-uefi"])
def test_boot_and_forward(forwarding, boot, cores):
    rig = forwarding(boot=boot, cores=cores)
    answer = rig.traffic.run(RATE_PPS, frames=40000)
    assert clean(answer), answer
    assert answer["good"] == 40000
    rig.stop_clean()


def test_one_command(tmp_path):
    """./millrace run l2fwd, whole: exit status, table, JSON of the agreed shape."""
    out = tmp_path / "result.json"
    ran = subprocess.run([str(build.ROOT / "millrace"), "run", "l2fwd", "--boot", "direct",
                          "--frames", "50000", "--json", str(out)], cwd=tmp_path, check=False,
                         capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(out.read_text())
    assert set(result) == {"command", "commit", "conditions", "results"}
    numbers = result["results"]
    for name in ("offered_pps", "forwarded", "lost", "reordered", "corrupt", "pps_max_no_loss",
                 "instr_per_pkt", "boot_ms", "owner_refusals"):
        assert isinstance(numbers[name], (int, float)), name
    assert numbers["forwarded"] >= 50000
    assert numbers["lost"] == numbers["reordered"] == numbers["corrupt"] == 0
    assert numbers["pps_max_no_loss"] > numbers["offered_pps"] > 0


def test_time_to_first_frame(image, build_dir):
    """First instruction to first forwarded frame, in counted guest time (2 ns an instruction)."""
    boot_ms = counted_boot_ms(build_dir, image("l2fwd"), "")
    assert 0 < boot_ms <= BOOT_BUDGET_MS


def test_image_size(image):
    import os
    path = os.path.splitext(image("l2fwd"))[0] + ".img"
    assert os.path.getsize(path) <= IMAGE_BUDGET_BYTES


def test_boot_says_what_memory_it_uses(forwarding):
    rig = forwarding()
    match = rig.console.wait_for(r"page_table_bytes=(\d+)", 1)
    assert int(match.group(1)) > 0
    rig.console.wait_for(r"text_bytes=\d+ .*bss_bytes=\d+", 1)
