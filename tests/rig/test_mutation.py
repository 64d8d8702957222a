# SPDX-License-Identifier: BSD-2-Clause
"""Would the tests notice? The check that arming makes is taken out of a copy of the source: the
image built from it must leave frames in a ring (test_adaptive.py would see it), a unit test
built from it must fail."""
import os
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

# Of rt/core/mailbox.c; the unit test is core-mailbox_arm.
MAILBOX = "rt/core/mailbox.c"
SAY = "__atomic_store_n(&box->sleeps, true, __ATOMIC_RELAXED);\n"
ARM_FENCE = "    hal_fence(); /* first say so, then look */\n"
SEND_FENCE = "    hal_fence(); /* first the messages, then the look */\n"
LOOK = "    if (__atomic_load_n(&box->sleeps, __ATOMIC_RELAXED))\n"
MAILBOX_MUTATIONS = {
    "arms without looking": [("return !is_empty(box);", "return false;")],
    "looks, then says so": [
        ("    " + SAY + ARM_FENCE + "    return !is_empty(box);",
         ARM_FENCE + "    bool found = !is_empty(box);\n    " + SAY + "    return found;")],
    "arms without a fence": [(ARM_FENCE, "")],
    "sends without a fence": [(SEND_FENCE, "")],
    "sends and wakes nobody": [(LOOK, "    if (false)\n")],
    "looks, then sends": [
        ("    sent = ring_put", "    bool sleeps = box->sleeps;\n    sent = ring_put"),
        (LOOK, "    if (sleeps)\n")],
}


def copy_tree(tree):
    """The files of this tree, without what was built."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=build.ROOT,
        check=True, text=True, capture_output=True).stdout.split()
    for name in listed:
        if (build.ROOT / name).exists():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(build.ROOT / name, tree / name)


def mutate(tree, path, changes):
    """Changes a file of the copy, always from what it is in this tree."""
    text = (build.ROOT / path).read_text()
    for old, new in changes:
        assert text.count(old) == 1, f"{path} has changed: mend this test"
        text = text.replace(old, new)
    (tree / path).write_text(text)


def make(tree, target):
    """Builds a target of the copy; returns its path."""
    out = tree.parent / "build"
    commands = [["ninja", "-C", str(out), target]]
    if not out.exists():
        commands.insert(0, ["meson", "setup", "-Dwerror=false", str(out), str(tree)])
    for command in commands:
        ran = subprocess.run(command, check=False, capture_output=True, text=True,
                             env={**os.environ, "CC": "gcc"})
        assert ran.returncode == 0, ran.stdout[-2000:]
    return str(out / target)


@pytest.mark.parametrize("name", MUTATIONS)
def test_missing_check_leaves_frames(machine, traffic_program, tmp_path, name):
    from rig.measure.generator import Traffic
    copy_tree(tmp_path / "tree")
    mutate(tmp_path / "tree", *MUTATIONS[name])
    image = make(tmp_path / "tree", "apps/l2fwd.elf")
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


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory):
    """One copy for all mutants of a unit test: each compiles that test alone anew."""
    tree = tmp_path_factory.mktemp("mutants") / "tree"
    copy_tree(tree)
    return tree


@pytest.mark.parametrize("name", MAILBOX_MUTATIONS)
def test_mailbox_without_a_step_fails(tree, name):
    mutate(tree, MAILBOX, MAILBOX_MUTATIONS[name])
    program = make(tree, "tests/unit/core/core_mailbox_arm_test")
    ran = subprocess.run([program], check=False, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0, ran.stdout + ran.stderr
    assert "[  FAILED  ]" in ran.stdout + ran.stderr
