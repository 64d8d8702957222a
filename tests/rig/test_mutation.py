# SPDX-License-Identifier: BSD-2-Clause
"""Would the test of test_adaptive.py notice? The check that arming makes is taken out of a copy
of the source; the image built from it must leave frames in a ring."""
import os
import pathlib
import shutil
import subprocess

import pytest

from rig import build

# file, then pairs: what is there (once), what is put in its place
MUTATIONS = {
    "driver arms without looking": ("pmd/ring/arm.c", [
        ("if (cause_pending(q))\n        return true;\n", ""),
        ("if (!nic_rx_pending(q))\n        return false;", "return false;")]),
    "loop ignores what arming says": ("rt/core/loop_source.c", [
        ("pending = source->arm != NULL && source->arm(source->ctx, now_us);",
         "(void)(source->arm != NULL && source->arm(source->ctx, now_us));")]),
}
ROUNDS_MAX = 40  # the window is short: most runs need one or two, a few more than twelve


def mutated_image(folder, mutation):
    """Copies the tree, changes it, builds l2fwd.elf."""
    path, changes = mutation
    tree = folder / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=build.ROOT,
        check=True, text=True, capture_output=True).stdout.split()
    for name in listed:
        if (build.ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(build.ROOT / name, tree / name)
    text = (tree / path).read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{path} has changed: mend this test"
        text = text.replace(old, new)
    (tree / path).write_text(text)
    out = folder / "build"
    for command in (["meson", "setup", "-Dwerror=false", str(out), str(tree)],
                    ["ninja", "-C", str(out), "apps/l2fwd.elf"]):
        ran = subprocess.run(command, check=False, capture_output=True, text=True,
                             env={**os.environ, "CC": "gcc"})
        assert ran.returncode == 0, ran.stdout[-2000:]
    return str(pathlib.Path(out) / "apps" / "l2fwd.elf")


@pytest.mark.parametrize("name", MUTATIONS)
def test_missing_check_leaves_frames(machine, traffic_program, tmp_path, name):
    from rig.measure.generator import Traffic
    image = mutated_image(tmp_path, MUTATIONS[name])
    one = machine(image, cores=2,
                  args="poll=adaptive spin_us=0 empty_polls=0 sleep_max_us=10000000")
    one.console.wait_for(r"state=forwarding", 20)
    left = 0
    with Traffic(traffic_program, one, lanes="1>0") as traffic:
        traffic.probe(20)
        for seed in range(ROUNDS_MAX):
            answer = traffic.bursts(1, 256, gap_us=200, seed=seed + 1, quiet_ms=300)
            left += answer["left"]
            if left:
                break
    assert left > 0
