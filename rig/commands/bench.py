# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench`: ours against DPDK's libraries on the same software card, no QEMU.

The host program (compare/dpdk/native) prints samples of interleaved rounds; it is started several
times, because what a start was dealt (pages, addresses) stays with it. Ticks are of the time stamp
counter, a packet or an object. docs/compare.md says how the ratios are made.
"""
import dataclasses
import json
import os
import pathlib
import re
import statistics
import subprocess
import time

from .. import build, setup
from ..options import whole
from . import bench_tcp, native_dpdk

TARGET = "compare/dpdk/native/native_bench"
SAMPLE = re.compile(r"sample item=(\S+) lane=(\S+) round=(\d+) ticks=([0-9.]+)")
COUNT = re.compile(r"count item=(\S+) lane=(\S+) instructions=([0-9.]+)")
LAYOUT = re.compile(r'layout lane=(\S+) buffers=(\d+) sets=(\d+) huge_kb=(\d+) rx="([^"]*)" '
                    r'tx="([^"]*)"')
CPU = re.compile(r'cpu model="([^"]*)" cldemote=(\S+) temp=(\S+)')
NOTE = re.compile(r"^(?:partial |dpdk=none |EAL: ).*", re.M)  # turns not counted; why no DPDK
CHECKED = re.compile(r"checked frames=(\d+) corrupt=(\d+)")
MALLOC_LARGE_PAGES = "glibc.malloc.hugetlb=1"
START_S = 900
L1_SETS, L1_SETS_LEAST = 64, 32
LEVEL = (0.97, 1.03)  # ratios in here are neither won nor lost
QUIET_SHARE = 10   # the quiet end: a tenth of all rounds were faster

SAME_128 = (("ours_128",), ("dpdk_128", "dpdk_128_96", "dpdk_128_all"))
SAME_512 = (("ours_512",), ("dpdk_512", "dpdk_512_476"))
SAME_1024 = (("ours_1024",), ("dpdk_1024",))
BEST = (SAME_128[0] + SAME_512[0] + SAME_1024[0],
        SAME_128[1] + SAME_512[1] + SAME_1024[1] + ("dpdk_128_512",))
CSUM = (("ours_128",), ("dpdk_csum",))
OBJECT = (("ours",), ("dpdk",))
# (label, item of the host program, (our lanes, DPDK's lanes), limit of the quiet ratio or None)
L2FWD = [
    ("macswap, best : best", "macswap", BEST, 0.80),
    ("  rings 128/128", "macswap", SAME_128, None),
    ("  rings 512/512", "macswap", SAME_512, None),
    ("  rings 1024/1024", "macswap", SAME_1024, None),
    ("io, best : best", "io", BEST, 0.80),
    ("  rings 128/128", "io", SAME_128, None),
    ("  rings 512/512", "io", SAME_512, None),
    ("  rings 1024/1024", "io", SAME_1024, None),
    ("macswap, checksum requests", "csum", CSUM, 0.50),
    ("  2 checksum contexts in turn", "csum_2", CSUM, None),
    ("  4 checksum contexts in turn", "csum_4", CSUM, None),
    ("one packet", "one", SAME_128, 0.80),
    ("empty poll", "empty", SAME_128, 0.80),
    ("macswap, bursts of 4", "burst_4", SAME_128, None),
    ("  bursts of 8", "burst_8", SAME_128, None),
    ("  bursts of 16", "burst_16", SAME_128, None),
    ("  bursts of 64, rings 512/512", "burst_64", SAME_512, None),
    ("wrong checksums received", "wrong_sum", (("ours_128",), ("dpdk_rx_csum",)), None),
    ("IMIX", "imix", SAME_128, None),
    ("two buffers a frame, rings 512/512", "two_buffers", (("ours_long",), ("dpdk_long",)), None),
    ("macswap, lines of another core", "macswap_other", SAME_128, None),
    ("  rings 512/512", "macswap_other", SAME_512, None),
    ("io, lines of another core", "io_other", SAME_128, None),
    ("  rings 512/512", "io_other", SAME_512, None),
    ("macswap from DRAM", "macswap_dram", SAME_128, None),
    ("  rings 512/512", "macswap_dram", SAME_512, None),
    ("io from DRAM", "io_dram", SAME_128, None),
    ("  rings 512/512", "io_dram", SAME_512, None),
]
MEMPOOL = [("buffer taken and freed, singly", "take_free", OBJECT, None),
           ("  32 in bulk", "take_free_bulk", OBJECT, None)]
RING = [("object through an SPSC ring, 32 at once", "ring", OBJECT, 1.00),
        ("  singly", "ring_one", OBJECT, None)]
ROWS = {"l2fwd": L2FWD + MEMPOOL + RING, "mempool": MEMPOOL, "ring": RING}


class BenchError(RuntimeError):
    """The host program failed; the message ends with what it said."""


class Runs:
    """What the starts of one host program said."""

    def __init__(self):
        self.samples = {}       # (item, lane): [{round: ticks} of each start]
        self.instructions = {}  # (item, lane): a packet or object
        self.layout = {}        # lane: {"buffers", "sets", "huge_kb", "rx", "tx"}
        self.cpu, self.cldemote, self.temp = "?", "?", "?"
        self.frames = self.corrupt = 0
        self.notes = {}         # what the program said besides, each once, in order

    def add(self, text):
        """Reads the output of one start."""
        start = {}
        for item, lane, number, ticks in SAMPLE.findall(text):
            start.setdefault((item, lane), {})[int(number)] = float(ticks)
        for key, rounds in start.items():
            self.samples.setdefault(key, []).append(rounds)
        for item, lane, instructions in COUNT.findall(text):
            self.instructions[item, lane] = float(instructions)
        for lane, buffers, sets, huge_kb, receive, transmit in LAYOUT.findall(text):
            self.layout[lane] = {"buffers": int(buffers), "sets": int(sets),
                                 "huge_kb": int(huge_kb), "rx": receive, "tx": transmit}
        for cpu in CPU.findall(text):
            self.cpu, self.cldemote, self.temp = cpu[0].strip(), cpu[1], cpu[2]
        self.notes.update(dict.fromkeys(NOTE.findall(text)))
        for frames, corrupt in CHECKED.findall(text):
            self.frames += int(frames)
            self.corrupt += int(corrupt)

    def quiet(self, item, lane):
        """Ticks at the quiet end of all rounds of all starts."""
        values = sorted(ticks for start in self.samples[item, lane] for ticks in start.values())
        return values[len(values) // QUIET_SHARE]

    def best(self, item, lanes):
        """The lane with the lowest quiet end; None: none of them did this item."""
        there = [lane for lane in lanes if (item, lane) in self.samples]
        return min(there, key=lambda lane: self.quiet(item, lane)) if there else None

    def start_ratios(self, item, ours, theirs):
        """Of each start: the median of the ratios of its rounds, which are neighbours in time."""
        ratios = []
        for mine, other in zip(self.samples[item, ours], self.samples[item, theirs]):
            rounds = [mine[number] / other[number] for number in mine
                      if other.get(number)]
            ratios += [statistics.median(rounds)] if rounds else []
        return ratios

    def crowded(self, lanes):
        """Lanes whose buffer headers use too few sets of an L1 cache to be compared."""
        return [lane for lane in lanes
                if self.layout.get(lane, {"sets": L1_SETS})["sets"] < L1_SETS_LEAST]


@dataclasses.dataclass
class Result:
    """A row of the table."""
    label: str
    item: str
    ours: str                # lane
    theirs: str = None       # None: DPDK is not here
    ours_ticks: float = None
    theirs_ticks: float = None
    quiet: float = None      # ratio of the quiet ends; None: no ratio can be given
    rounds: float = None     # ratio of neighbouring rounds, median of the starts
    starts: tuple = ()       # lowest and highest of the starts
    refused: str = ""        # why there is no ratio
    limit: float = None      # of `quiet`

    @property
    def ratio(self):
        """The headline: whichever is worse for us."""
        return None if self.quiet is None else max(self.quiet, self.rounds)

    @property
    def verdict(self):
        """won, level or lost; empty without a ratio."""
        if self.ratio is None:
            return ""
        ratio = round(self.ratio, 2)
        return "won" if ratio < LEVEL[0] else "lost" if ratio > LEVEL[1] else "level"

    @property
    def missed(self):
        """The project promised more."""
        return self.limit is not None and (self.quiet or 0) > self.limit


def row(runs, label, item, sides, limit):
    """Result of one row; None when our side was not measured."""
    ours, theirs = runs.best(item, sides[0]), runs.best(item, sides[1])
    if ours is None:
        return None
    one = Result(label, item, ours, theirs, runs.quiet(item, ours), limit=limit)
    if theirs is None:
        one.refused = "no DPDK"
        return one
    one.theirs_ticks = runs.quiet(item, theirs)
    crowded = runs.crowded((ours, theirs)) or runs.crowded(
        ["dpdk_128"] if sides is OBJECT else [])
    if crowded:
        one.refused = "refused: headers of " + ", ".join(crowded) + \
            f" in less than {L1_SETS_LEAST} of {L1_SETS} L1 sets"
        return one
    ratios = runs.start_ratios(item, ours, theirs)
    if ratios and one.theirs_ticks:
        one.quiet = one.ours_ticks / one.theirs_ticks
        one.rounds = statistics.median(ratios)
        one.starts = (min(ratios), max(ratios))
    return one


def _ticks(value):
    return "-" if value is None else f"{value:.1f}"


def line(one, runs):
    """A row as text."""
    counted = [runs.instructions.get((one.item, lane)) for lane in (one.ours, one.theirs)]
    text = f"  {one.label:41s}{_ticks(one.ours_ticks):>7s} {_ticks(one.theirs_ticks):>7s}"
    if one.ratio is None:
        return f"{text}  {one.refused}"
    tuned = "" if one.theirs in ("dpdk", "dpdk_128") else f"  DPDK's: {one.theirs[5:]}"
    gate = "" if one.limit is None else \
        f"  limit {one.limit:.2f} {'MISSED' if one.missed else 'met'}"
    return (f"{text} {one.quiet:6.2f} {one.rounds:6.2f}  {one.starts[0]:.2f}..{one.starts[1]:.2f}"
            f" {_ticks(counted[0]):>7s} {_ticks(counted[1]):>6s}  {one.ratio:4.2f} "
            f"{one.verdict:5s}{gate}{tuned}")


def conditions(runs):
    """Lines that say what the figures depend on."""
    lines = [f"cpu: {runs.cpu}; CLDEMOTE {runs.cldemote}: plain rows find the device's writes "
             f"in {runs.temp.upper()}"]
    for side in ("ours", "dpdk"):
        lanes = {lane: one for lane, one in runs.layout.items() if lane.startswith(side)}
        if lanes:
            lines.append(f"{side}: buffer headers in {min(o['sets'] for o in lanes.values())} or "
                         f"more of {L1_SETS} L1 sets, up to "
                         f"{max(o['huge_kb'] for o in lanes.values())} kB on large pages; "
                         "burst functions " + _functions(lanes))
    return lines


def _functions(lanes):
    used = {}
    for lane, one in lanes.items():
        used.setdefault(f"rx {one['rx']}, tx {one['tx']}", []).append(lane)
    most = max(used, key=lambda name: len(used[name]))
    return "; ".join([most] + [f"{name} ({', '.join(used[name])})" for name in used
                               if name != most])


HEAD = (f"  {'ticks at the quiet end':41s}{'ours':>7s} {'DPDK':>7s} {'quiet':>6s} {'rounds':>6s}"
        f"  {'starts':10s} {'instr.':>7s} {'DPDK':>6s}  ratio")


def start(folder, environment, words):
    """One start of the host program; its output."""
    tunables = ":".join(filter(None, (os.environ.get("GLIBC_TUNABLES"), MALLOC_LARGE_PAGES)))
    try:
        done = subprocess.run([str(pathlib.Path(folder) / TARGET), *words], check=False,
                              env={**os.environ, **environment, "GLIBC_TUNABLES": tunables},
                              capture_output=True, text=True, timeout=START_S)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{TARGET} {' '.join(words)} did not end within {START_S} s") from error
    if done.returncode != 0:
        raise BenchError(f"{TARGET} {' '.join(words)} failed ({done.returncode}):\n"
                         f"{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout + done.stderr


def measure(programs, options, say):
    """{title: Runs}: starts of all programs in turn."""
    found = {title: Runs() for title, _, _ in programs}
    words = [f"what={options.what}", f"rounds={options.rounds}", f"bursts={options.bursts}"]
    more = [f"temp={options.temp}", f"pool={options.pool}"]
    for number in range(options.starts):
        for title, folder, environment in programs:
            begin = time.monotonic()
            found[title].add(start(folder, environment, words + more))
            say(f"bench: start {number + 1} of {options.starts}, {title}: "
                f"{time.monotonic() - begin:.0f} s")
    for title, folder, environment in programs:
        say(f"bench: instructions, {title}")
        found[title].add(start(folder, environment, ["what=count", f"pool={options.pool}"]))
    return found


def report(title, runs, options, say):
    """Prints one table; its results."""
    say(f"bench {options.what}, {title}: {options.starts} starts of {options.rounds} rounds of "
        f"{options.bursts} bursts")
    for text in conditions(runs):
        say("  " + text)
    say(HEAD)
    results = [one for one in (row(runs, *r) for r in ROWS[options.what]) if one is not None]
    for one in results:
        say(line(one, runs))
    for note in runs.notes:
        say("  " + note)
    lost = sum(one.verdict == "lost" for one in results)
    say(f"  {lost} of {len(results)} rows lost; frames checked: {runs.frames}, "
        f"corrupt: {runs.corrupt}")
    return results


def _json(results, runs):
    rows = [{**dataclasses.asdict(one), "ratio": one.ratio, "verdict": one.verdict,
             "ours_instructions": runs.instructions.get((one.item, one.ours)),
             "theirs_instructions": runs.instructions.get((one.item, one.theirs))}
            for one in results]
    return {"cpu": runs.cpu, "cldemote": runs.cldemote, "temp": runs.temp, "rows": rows,
            "layout": runs.layout, "frames_checked": runs.frames, "frames_corrupt": runs.corrupt}


def run(options, say):
    """Builds, measures, prints; True when every promised ratio holds that could be measured."""
    folder = build.build("build", log=say, targets=[TARGET])
    programs = [("Debian's DPDK", folder, {})]
    if options.native_dpdk:
        programs.append(("DPDK built -O3 -march=native", *native_dpdk.program(TARGET, say)))
    found = measure(programs, options, say)
    written, good = {}, True
    for title, runs in found.items():
        results = report(title, runs, options, say)
        written[title] = _json(results, runs)
        good = good and not runs.corrupt and \
            not any(one.missed for one in results if title == programs[0][0])
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(written, indent=1) + "\n",
                                              encoding="utf-8")
    return good


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("bench", help="ours against DPDK, lwIP and Linux, native")
    one.add_argument("what", choices=sorted([*ROWS, "tcp"]))
    one.add_argument("--starts", type=whole(1, 1000), default=6,
                     help="starts of the host program (6)")
    one.add_argument("--rounds", type=whole(1, 1000), default=6,
                     help="interleaved rounds a start (6)")
    one.add_argument("--bursts", type=whole(1, 1000000), default=1000,
                     help="bursts a row and round (1000)")
    one.add_argument("--quick", action="store_true",
                     help="2 starts of 3 rounds of 500; tcp: fewer rows, a first result")
    one.add_argument("--temp", choices=("auto", "l1", "l3"), default="auto",
                     help="where plain rows find the device's writes: l3 needs CLDEMOTE (auto)")
    one.add_argument("--pool", choices=("packed", "paged"), default="packed",
                     help="DPDK's buffers; paged: one a 4 KiB page, to see what that costs")
    one.add_argument("--native-dpdk", action="store_true",
                     help="also DPDK built here from Debian's source, -O3 -march=native")
    one.add_argument("--json", metavar="FILE", help="write all rows")


def main(options, say):
    """Runs the command; 0 when all promised ratios hold."""
    if options.what == "tcp":
        return bench_tcp.main(options, say)
    setup.ensure(("build",), say)
    if setup.ensure(("bench",), say) or not build.found("libdpdk"):
        build.forget()
    if options.quick:
        options.starts, options.rounds, options.bursts = 2, 3, 500
    return 0 if run(options, say) else 1
