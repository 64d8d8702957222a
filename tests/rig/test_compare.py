# SPDX-License-Identifier: BSD-2-Clause
"""The comparison with DPDK and the sweep: one short run, the page, and the parts that judge."""
import base64
import collections
import shutil
import subprocess
import types
import xml.etree.ElementTree

import pytest

from rig import unpack
from rig.commands import compare, tune
from rig.machine import guest
from rig.measure import count, judge, turns
from rig.measure.sides import Dpdk, DpdkRetry, Ours, Side, dpdk_root, script_of

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BROWSER_S = 60


def one_side(pps, idle_cpu, first_ms, instr):
    latency = {"rate_pps": 1000, "p50_us": 100.0, "p99_us": 200.0, "lost": 0,
               "interrupts_per_s": 10}
    point = {"offered_pps": 1000, "forwarded_pps": 990, "lost_share": 0.01, "p50_us": 100,
             "p99_us": 200}
    return {"pps": pps, "pps_all": [pps - 1, pps, pps + 1], "pps_saturated": pps,
            "idle_cpu": idle_cpu, "idle_interrupts_per_s": 1, "first_frame_ms": first_ms,
            "instr_per_pkt": instr, "image_bytes": 1, "memory_kb": 1, "curve": [point, {**point,
                                                                        "offered_pps": 2000}],
            "instructions": {"one": 1, "empty": 1, "average": 1},
            "gaps": {"long_per_s": 2.5, "longest_below_us": 512},
            **{f"latency_{share}": latency for share in compare.SHARES}}


def result_of(ours, dpdk, retry=90000):
    out = {"ours": one_side(*ours), "dpdk": one_side(*dpdk)}
    keys = {f"{side}_{key}": out[side][key] for side in out for key in compare.KEYS}
    out[compare.RETRY] = {key: retry if key != "pps_all" else [retry]
                          for key in ("pps", "pps_all", "pps_saturated")}
    return {**out, **keys, "disturbed": [], "host": judge.Share(100.0, 0.0, 0.0, 0.3, 0.0)}


GOOD, PEER = (130000, 1, 1000, 100), (100000, 100, 9000, 136)


@pytest.mark.parametrize("ours,retry,missed", [
    (GOOD, 90000, 0), ((99999, 1, 1000, 100), 90000, 1), (GOOD, 130001, 1),
    ((130000, 5, 1000, 100), 90000, 1), ((130000, 1, 1801, 100), 90000, 1),
    ((130000, 1, 1000, 136), 90000, 1)])
def test_verdict(ours, retry, missed):
    """Each promise that is not kept is said, and only that; the rate is held against the better
    of DPDK's two."""
    assert len(compare.verdict(result_of(ours, PEER, retry))) == missed


def test_table_names_definition_and_retry():
    """What is counted stands in the table, and so does testpmd with retry."""
    rows = compare.rows_of(result_of(GOOD, PEER))
    assert [row[3] for row in rows if row[0] == "  testpmd with retry"] == ["1.44", "1.44"]
    assert "instructions a packet, whole turns, bursts of 32, rings 2048" in [r[0] for r in rows]


def test_table_says_small_and_large_numbers():
    """No ratio of 0.00, and bytes are counted, not 3.06801e+07."""
    result = result_of(GOOD, PEER)
    result["ours"]["idle_cpu"], result["dpdk"]["image_bytes"] = 0.1, 30680123
    rows = {row[0]: row for row in compare.rows_of(result)}
    assert rows["idle: vCPU threads"][3] == "0.001"
    assert rows["image and initramfs"][2] == "30,680,123 bytes"


def test_turns_are_judged():
    """Empty: a turn by its ports. A tick of Linux in a few turns moves the mean, not the mode."""
    idle = {246: 900, 250: 100, 9000: 3}
    single = {246: 900, 622: 100}
    busy = {8832: 97, 20000: 3}
    found = turns.of_turns(idle, (single, 100), (busy, 3200))
    assert (found["empty"], found["one"], found["full"]) == (123, 622, 8832)
    assert found["batch"] == 32
    assert Dpdk.per_packet(None, found) == 276.0
    assert Ours.per_packet(None, found) == found["per_packet_mean"] > 280
    found["batch"] = 20.0
    assert Dpdk.per_packet(None, found) == found["per_packet_mean"]


def test_guest_script():
    """Every word is filled in; retry is asked for only where it is wanted."""
    words = {"ID": "8086 10d3", "PMD": "-d x.so", "MODE": "macswap", "BURST": 32}
    for kind, line in ((Dpdk, "retry=\n"), (DpdkRetry, "retry=retry\n")):
        script = script_of({**words, **kind.settings})
        assert "@" not in script and line in script
        assert "--rxd=512 --txd=512" in script and "--total-num-mbufs=8192" in script


def test_disturbed():
    """A quiet run is trusted; rounds that differ much, or a starved polling guest, are not."""
    result = result_of(GOOD, PEER)
    assert compare.disturbed(result) == []
    result["ours"]["pps_all"] = [100, 151]
    assert len(compare.disturbed(result)) == 1
    result["dpdk_idle_cpu"] = 50
    assert len(compare.disturbed(result)) == 2
    result["host"] = judge.Share(100.0, 0.0, 0.5, 0.3, 0.0)
    assert len(compare.disturbed(result)) == 3


class FakeCounts:
    """Gives snapshots in turn."""

    def __init__(self, *blocks):
        self.blocks = list(blocks)

    def snapshot(self):
        return count.Snapshot([0], [0], collections.Counter(),
                              collections.Counter(self.blocks.pop(0)))


def test_head_without_symbols():
    """Of the blocks of an idle poll, the one that runs once a poll under load is taken; the
    empty poll's, a packet's and the kernel's are not."""
    poll, poll2, empty, packet = (0x7000, 4, 2), (0x7010, 4, 2), (0x7020, 4, 2), (0x7030, 4, 2)
    kernel = (0xffffffff81000000, 4, 2)
    idle = {poll: 1000, poll2: 1000, empty: 1000, packet: 990, kernel: 5000}
    busy = {poll: 1100, poll2: 1100, empty: 1010, packet: 4190, kernel: 9000}
    counts = FakeCounts({}, idle, idle, busy)
    assert count.hottest_block(counts, lambda: None) == poll[0]
    with pytest.raises(RuntimeError):
        count.hottest_block(FakeCounts({}, {}, {}, {}), lambda: None)


def test_turns_alternate():
    """Each side is measured as often, first in every other round, and only while it runs."""
    calls = []
    sides = [types.SimpleNamespace(name=n, resume=lambda n=n: calls.append(f"+{n}"),
                                   pause=lambda n=n: calls.append(f"-{n}")) for n in "ab"]
    results = compare.take_turns(sides, 2, lambda side: calls.append(side.name) or side.name)
    assert calls == ["+a", "a", "-a", "+b", "b", "-b", "+b", "b", "-b", "+a", "a", "-a"]
    assert results == {"a": ["a", "a"], "b": ["b", "b"]}


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    compare.write_page(path, {"host": "<none>"}, {"e1000e": result_of(GOOD, PEER)})
    return path


def test_page_is_self_contained(page):
    """Well formed, every plot there, text escaped, nothing loaded from elsewhere."""
    text = page.read_text()
    tree = xml.etree.ElementTree.fromstring(text.replace("<!doctype html>", ""))
    sources = [image.get("src") for image in tree.iter("img")]
    assert len(sources) == 5
    for source in sources:
        kind, _, data = source.partition(",")
        assert kind == "data:image/svg+xml;base64"
        drawn = base64.b64decode(data).decode()
        assert not any(word in drawn for word in ("<script", "<image", "nan"))
    assert "&lt;none&gt;" in text
    assert not any(word in text for word in ("href=", "url(", "<script"))


def test_page_opens(page, tmp_path):
    """Headless Chromium makes a picture of it, and complains of nothing."""
    browser = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if browser is None:
        pytest.skip("no Chromium here")
    picture = tmp_path / "page.png"
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={tmp_path}/profile", f"--screenshot={picture}", page.as_uri()],
        capture_output=True, text=True, timeout=BROWSER_S, check=False)
    assert done.returncode == 0 and picture.stat().st_size > 5000, done.stderr[-2000:]
    assert "CONSOLE" not in done.stderr, done.stderr[-2000:]


@pytest.fixture(scope="session")
def dpdk():
    try:
        dpdk_root()
        guest.kernel()
    except (unpack.SetupError, guest.GuestError) as error:
        pytest.skip(f"no DPDK guest: {error}")


def test_both_forward(dpdk, build_dir, tmp_path):
    """Both guests boot on e1000e and forward 20 kpps without a fault, in turns; stopped ones
    use no CPU. So few frames are in flight that no ring can overflow while a core has no CPU."""
    sides = []
    try:
        for kind in (Ours(build_dir, "e1000e"),
                     Dpdk(build_dir, str(tmp_path), "e1000e")):
            sides.append(Side(kind, build_dir / "rig" / "traffic"))
            sides[-1].pause()
        found = compare.take_turns(sides, 2, lambda side: side.traffic.run(20000, seconds=0.5,
                                                                             window=256))
        for name, answers in found.items():
            assert all(judge.clean(answer) for answer in answers), (name, answers)
        assert all(sum(side.machine.vcpu_load(1)) < 0.01 for side in sides)
        sides[0].resume()
        sides[0].kind.finish(sides[0].machine)
        sides[1].resume()
        assert sides[1].kind.counters(sides[1].machine)["total_kb"] > 500000
        assert sum(sides[1].machine.vcpu_load(1)) > 0.3
        assert sides[1].first_ms > 5 * sides[0].first_ms
    finally:
        for side in sides:
            side.close()


def test_sweep_point(forwarding):
    """A polling core never halts, an adaptive one without frames nearly always."""
    rig = forwarding(args="mode=macswap")
    halted = {}
    for setting in (tune.Setting("always", {"poll": "always"}), tune.Setting("shipped", {})):
        tune.apply(rig.machine, setting.live)
        halted[setting.label] = tune.point(rig.machine, rig.traffic, 0, 1.0)["halted"]
        loaded = tune.point(rig.machine, rig.traffic, 5000, 0.5)
        assert loaded["p50_us"] > 0 and loaded["received_pps"] > 0
    assert halted["always"] == 0 and halted["shipped"] > 0.9, halted
    with pytest.raises(RuntimeError):
        tune.apply(rig.machine, {"spin_us": "wrong"})
    rig.stop_clean()
