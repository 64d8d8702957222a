# SPDX-License-Identifier: BSD-2-Clause
"""Would the simulation notice? A fault is planted in a copy of the source: one of the first hundred
seeds must meet it, and say what it is."""
import shutil
import subprocess

import pytest

from rig import build

from test_mutation import copy_tree, make, mutate

SIM = "tests/sim/sim_test"
SEEDS = 100

# file, [(what is there, once, and what is put in its place)], what the simulation says
FAULTS = {
    "freed at the acknowledgement, though the card has it": (
        "mempool/ext.c", [
            ("(void)buf_move(ref_owned.buf, owner, BUF_KEPT_NIC, BUF_NIC);\n"
             "        buf_poison(ref_owned.buf);\n",
             "*owner = BUF_STACK;\n        buf_free(ref_owned.buf);\n")],
        ("device had them", "hand-over was refused", "not home", "not its own")),
    "the window opens when bytes are delivered": (
        "tcp/tcp/events.c", [
            ("        buf_move(b, b->owner, BUF_STACK, BUF_APP);\n",
             "        held_give(conn->net, b), buf_move(b, b->owner, BUF_STACK, BUF_APP);\n")],
        ("the account says",)),
    "the time-out does not back off": (
        "tcp/tcp/rtt.c", [("    rtt->backoff++;", "    rtt->backoff += 0;")],
        ("no back-off",)),
    "the edge of a SACK block is off by one": (
        "tcp/tcp/order.c", [
            ("    options->sacks[options->sack_count].end = end;",
             "    options->sacks[options->sack_count].end = end - 1;")],
        ("no segment ends there", "a SACK block from")),
    "a cookie forgets the options": (
        "tcp/tcp/cookie.c", [
            ("    if (segment->options.has_time)\n"
             "        unpack(segment->options.time_echo, syn);\n", "    (void)unpack;\n")],
        ("ends differ", "the window ends at")),
    "more is acknowledged than came": (
        "tcp/tcp/transmit.c", [
            ("    fields->ack = conn->rcv_nxt;",
             "    fields->ack = conn->rcv_nxt + (conn->order != NULL);")],
        ("have arrived",)),
    "the window is not looked at": (
        "tcp/tcp/output.c", [
            ("    const uint32_t edge = conn->snd_una + conn->snd_wnd;\n\n    return seq_after",
             "    const uint32_t edge = conn->snd_una + (1u << 30);\n\n    return seq_after")],
        ("the window ends at",)),
}


@pytest.fixture(scope="module", name="tree")
def _tree(tmp_path_factory):
    """One copy for all faults: each compiles its file alone anew."""
    tree = tmp_path_factory.mktemp("faults") / "tree"
    copy_tree(tree)
    return tree


@pytest.mark.parametrize("name", FAULTS)
def test_planted_fault_is_met(tree, name):
    path, changes, says = FAULTS[name]
    mutate(tree, path, changes)
    try:
        program = make(tree, SIM)
        ran = subprocess.run([program, str(SEEDS)], check=False, capture_output=True, text=True,
                             timeout=300)
    finally:
        shutil.copy(build.ROOT / path, tree / path)
    assert ran.returncode != 0, ran.stdout
    assert any(text in ran.stdout for text in says), ran.stdout + ran.stderr[-2000:]
