# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench`: what it makes of the samples, and what it refuses to compare."""
import types

import pytest

from rig import unpack
from rig.commands import bench, native_dpdk

LAYOUT = 'layout lane={} buffers=511 sets={} huge_kb=0 rx="vector" tx="vector"\n'


def starts(*pairs, item="macswap", ours_sets=64, dpdk_sets=64):
    """Runs of starts; each is a list of rounds (ours, DPDK's), in ticks."""
    runs = bench.Runs()
    for rounds in pairs:
        text = LAYOUT.format("ours_128", ours_sets) + LAYOUT.format("dpdk_128", dpdk_sets)
        for number, (ours, theirs) in enumerate(rounds):
            for lane, ticks in (("ours_128", ours), ("dpdk_128", theirs)):
                text += f"sample item={item} lane={lane} round={number} ticks={ticks}\n"
        runs.add(text)
    return runs


def row_of(runs, limit=None, item="macswap"):
    return bench.row(runs, "a row", item, bench.SAME_128, limit)


def test_conditions_are_read():
    """CPU, cache temperature, layout and checked frames, with blanks as the CPU pads them."""
    runs = bench.Runs()
    for _ in range(2):
        runs.add('cpu model="A CPU   " cldemote=no temp=l1\n' + LAYOUT.format("dpdk_128", 64) +
                 "count item=io lane=dpdk_128 instructions=114.8\n"
                 "checked frames=100 corrupt=1\n")
    assert (runs.cpu, runs.cldemote, runs.temp) == ("A CPU", "no", "l1")
    assert (runs.frames, runs.corrupt) == (200, 2)
    assert runs.layout["dpdk_128"] == {"buffers": 511, "sets": 64, "huge_kb": 0, "rx": "vector",
                                       "tx": "vector"}
    assert runs.instructions == {("io", "dpdk_128"): 114.8}
    text = "\n".join(bench.conditions(runs))
    assert "A CPU; CLDEMOTE no: plain rows find the device's writes in L1" in text
    assert "rx vector, tx vector" in text


def test_the_headline_is_the_worse_ratio():
    """Quiet ends can flatter one side and neighbouring rounds the other: the larger counts."""
    noisy_peer = starts(*[[(10, 20)] * 9 + [(20, 40)]] * 5)
    one = row_of(noisy_peer)
    assert (one.quiet, one.rounds, one.ratio) == (0.5, 0.5, 0.5)
    lucky = starts(*[[(8, 30), (9, 10), (9, 10)]] * 5)  # our quiet round, their loud one
    one = row_of(lucky)
    assert one.quiet == 0.8 and one.rounds == 0.9 and one.ratio == 0.9
    lucky_peer = starts(*[[(20, 10), (9, 18), (9, 18)]] * 5)
    one = row_of(lucky_peer)
    assert one.quiet == 0.9 and one.rounds == 0.5 and one.ratio == 0.9


def test_a_start_is_a_sample():
    """A start with many rounds weighs as much as one with few."""
    runs = starts([(10, 10)] * 100, [(5, 10)], [(5, 10)])
    one = row_of(runs)
    assert one.rounds == 0.5 and one.starts == (0.5, 1.0)


@pytest.mark.parametrize("ours,verdict", [(96, "won"), (97, "level"), (103, "level"),
                                          (104, "lost"), (300, "lost")])
def test_verdicts(ours, verdict):
    """`lost` is said where we lose."""
    runs = starts([(ours, 100)] * 3)
    one = row_of(runs)
    assert one.verdict == verdict
    assert f"{ours / 100:4.2f} {verdict}" in bench.line(one, runs)


def test_a_promise_is_judged_by_the_quiet_ends():
    """The limit is met or MISSED, and the text says which."""
    for ours, word in ((80, "met"), (81, "MISSED")):
        runs = starts([(ours, 100)] * 3)
        one = row_of(runs, limit=0.80)
        assert one.missed == (word == "MISSED")
        assert bench.line(one, runs).rstrip().endswith(word)


def test_the_best_tuning_of_the_peer_counts():
    """The lane of DPDK with the lowest quiet end is the one we are compared with."""
    runs = starts([(10, 20)] * 3)
    runs.add("".join(f"sample item=macswap lane=dpdk_128_96 round={number} ticks=12.5\n"
                     for number in range(3)))
    one = row_of(runs)
    assert one.theirs == "dpdk_128_96" and one.quiet == 0.8


@pytest.mark.parametrize("ours_sets,dpdk_sets,refused", [(64, 64, False), (32, 32, False),
                                                         (64, 31, True), (1, 64, True)])
def test_crowded_headers_give_no_ratio(ours_sets, dpdk_sets, refused):
    """Buffers whose headers share a few sets of the L1 cache are not a side's best."""
    runs = starts([(10, 20)] * 3, ours_sets=ours_sets, dpdk_sets=dpdk_sets)
    one = row_of(runs, limit=0.8)
    assert (one.ratio is None) == refused
    assert ("refused" in bench.line(one, runs)) == refused
    assert not one.missed


def test_without_dpdk():
    """Only our side: figures, no ratio, no verdict."""
    runs = bench.Runs()
    runs.add("sample item=ring lane=ours round=0 ticks=2.0\n")
    one = bench.row(runs, "ring", "ring", bench.OBJECT, 1.0)
    assert one.ours_ticks == 2.0 and one.ratio is None and "no DPDK" in bench.line(one, runs)
    assert bench.row(runs, "io", "io", bench.SAME_128, None) is None


def test_what_the_program_complains_of_is_shown():
    """Why there is no DPDK, and turns that were not counted: each line once."""
    runs, said = bench.Runs(), []
    for _ in range(2):
        runs.add('EAL: FATAL: Cannot init plugins\ndpdk=none reason="rte_eal_init failed"\n'
                 "sample item=ring lane=ours round=0 ticks=2.0\n"
                 "partial item=io lane=dpdk_128 turns=1 of=600\n")
    options = types.SimpleNamespace(what="ring", starts=2, rounds=1, bursts=50)
    bench.report("a title", runs, options, said.append)
    assert [line for line in said if "Cannot init plugins" in line] == \
        ["  EAL: FATAL: Cannot init plugins"]
    assert any("rte_eal_init failed" in line for line in said)
    assert any("partial item=io" in line for line in said)


@pytest.mark.parametrize("pool,refused", [("packed", False), ("paged", True)])
def test_real_pools(build_dir, pool, refused):
    """The host program tells how its pools lie: DPDK's own call puts a buffer on a page of 4 KiB,
    all headers in one or two sets, and then no ratio is printed. Every frame was checked."""
    runs = bench.Runs()
    runs.add(bench.start(build_dir, {}, ["what=l2fwd", "rounds=1", "bursts=50", f"pool={pool}"]))
    if "dpdk_128" not in runs.layout:
        pytest.skip("built without libdpdk-dev, or DPDK did not start")
    assert runs.frames > 10000 and runs.corrupt == 0
    assert all(one["sets"] == 64 for lane, one in runs.layout.items() if lane[:4] == "ours")
    for rows in bench.ROWS.values():
        for label, item, sides, limit in rows:
            one = bench.row(runs, label, item, sides, limit)
            assert one is not None and one.theirs is not None, label
            assert (one.ratio is None) == refused, (label, runs.layout)


def test_wrong_arguments_end_the_host_program(build_dir):
    """A temperature or a word that it does not know is an error, not a default."""
    for word in ("temp=l2", "pool=none", "what=all", "bursts=0"):
        with pytest.raises(bench.BenchError, match="usage"):
            bench.start(build_dir, {}, ["rounds=1", "bursts=50", word])


def test_native_dpdk_says_what_it_lacks(monkeypatch, tmp_path):
    """No mirror and no packages are errors that name the remedy; nothing is half made."""
    monkeypatch.setattr(unpack, "cache_dir", lambda name: str(tmp_path / name))
    monkeypatch.setattr(native_dpdk, "installed", lambda names: set())
    with pytest.raises(unpack.SetupError, match="apt-get install dpkg-dev"):
        native_dpdk.root(print)
    monkeypatch.setattr(native_dpdk, "installed", set)
    monkeypatch.setattr(unpack, "mirrors", lambda: [])
    with pytest.raises(unpack.SetupError, match="no Debian mirror"):
        native_dpdk.root(print)
    assert not (tmp_path / "dpdk-native" / "root").exists()
