# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench`: ours against DPDK's libraries on the same software card, no QEMU.

The host program (compare/dpdk/native) prints samples of interleaved rounds; this makes medians,
spread and ratios. Ticks are of the time stamp counter, a packet or an object.
"""
import json
import os
import pathlib
import re
import statistics
import subprocess

from . import build

TARGET = "compare/dpdk/native/native_bench"
SAMPLE = re.compile(r"sample key=(\S+) ticks=([0-9.]+)")
CHECKED = re.compile(r"checked frames=(\d+) corrupt=(\d+)")
MALLOC_LARGE_PAGES = "glibc.malloc.hugetlb=1"
PROMISED_TEMP = "l3"
WARNING = "note: other work on this machine disturbs the figures; spread above 10 % says so"

# (ours, theirs, largest ratio that the project promises)
GATES = {
    "l2fwd": [("ours_macswap", "dpdk_best_macswap", 0.80),
              ("ours_macswap", "dpdk_default_macswap", 0.66),
              ("ours_io", "dpdk_best_io", 0.80),
              ("ours_empty_poll", "dpdk_empty_poll", 0.80),
              ("ours_one_pkt", "dpdk_one_pkt", 0.67),
              ("ours_csum", "ours_macswap", 1.20),
              ("ours_take_free", "dpdk_alloc_free", 0.60),
              ("ours_ring", "dpdk_ring", 1.00)],
    "mempool": [("ours_take_free", "dpdk_alloc_free", 0.60)],
    "ring": [("ours_ring", "dpdk_ring", 1.00), ("ours_ring_one", "dpdk_ring_one", None)],
}
# Further rows of the table: the other bursts and ring sizes.
PAIRS = [("ours_csum", "dpdk_csum"), ("ours_macswap_b1", None),
         ("ours_macswap_b4", "dpdk_macswap_b4"), ("ours_macswap_b8", "dpdk_macswap_b8"),
         ("ours_macswap_b16", "dpdk_macswap_b16"), ("ours_macswap_b64", "dpdk_macswap_b64"),
         ("ours_macswap_r512", "dpdk_default_macswap"),
         ("ours_macswap_r1024", "dpdk_macswap_r1024")]
KEYS = ("ours_macswap ours_io ours_csum ours_one_pkt ours_empty_poll dpdk_best_macswap "
        "dpdk_best_io dpdk_default_macswap dpdk_one_pkt dpdk_empty_poll ours_take_free "
        "dpdk_alloc_free ours_ring dpdk_ring").split()


class BenchError(RuntimeError):
    """The host program failed; the message ends with what it said."""


def _parse(text):
    """Samples by key, in order, and (frames, corrupt)."""
    samples = {}
    for key, ticks in SAMPLE.findall(text):
        samples.setdefault(key, []).append(float(ticks))
    checked = CHECKED.search(text)
    return samples, tuple(map(int, checked.groups())) if checked else None


def _summary(samples):
    """key -> (median, spread): spread is (p90 - p10) / median."""
    result = {}
    for key, values in samples.items():
        values = sorted(values)
        middle = statistics.median(values)
        low, high = values[len(values) // 10], values[(len(values) * 9) // 10]
        result[key] = (middle, (high - low) / middle if middle else 0.0)
    for work in ("macswap", "io"):  # whichever tuning of DPDK does better
        tuned = [result[k] for k in (f"dpdk_128_{work}", f"dpdk_448_{work}") if k in result]
        if tuned:
            result[f"dpdk_best_{work}"] = min(tuned)
    return result


def _line(summary, ours, theirs, limit):
    mine, other = summary[ours], summary.get(theirs)
    text = f"{ours:20s} {mine[0]:7.1f} (spread {mine[1]:4.0%})"
    if other is None:
        return f"  ratio    -   {text}"
    ratio = mine[0] / other[0]
    verdict = "" if limit is None else \
        f"   limit {limit:.2f} {'met' if ratio <= limit else 'MISSED'}"
    return (f"  ratio {ratio:5.2f}  {text}  {theirs:22s} {other[0]:7.1f} "
            f"(spread {other[1]:4.0%}){verdict}")


def _gates(what, temp):
    """The promises are for the temperature that a card with DDIO leaves."""
    return [(ours, theirs, limit if temp == PROMISED_TEMP else None)
            for ours, theirs, limit in GATES[what]]


def _table(what, temp, summary):
    lines = [_line(summary, *gate) for gate in _gates(what, temp) if gate[0] in summary]
    if what == "l2fwd":
        lines += [_line(summary, ours, theirs, None) for ours, theirs in PAIRS
                  if ours in summary]
    return lines


def _measure(folder, what, rounds, bursts, temp):
    program = pathlib.Path(folder) / TARGET
    tunables = ":".join(filter(None, (os.environ.get("GLIBC_TUNABLES"), MALLOC_LARGE_PAGES)))
    done = subprocess.run([str(program), what, str(rounds), str(bursts), temp], check=False,
                          env={**os.environ, "GLIBC_TUNABLES": tunables},
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(f"{TARGET} {what} failed ({done.returncode}):\n"
                         f"{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done


def run(what, rounds=31, bursts=2000, temp="l3", out=None, say=print):
    """Builds, measures, prints; True when every promised ratio holds that could be measured."""
    folder = build.build("build", log=say, targets=[TARGET])
    done = _measure(folder, what, rounds, bursts, temp)
    samples, checked = _parse(done.stdout)
    summary = _summary(samples)
    say(f"bench {what}: ticks a packet or object, medians of {rounds} interleaved rounds of "
        f"{bursts}, device writes in {temp}")
    for line in _table(what, temp, summary):
        say(line)
    for line in sorted(set(done.stderr.splitlines())):
        if line.startswith(("dpdk=none", "partial")):  # turns that were not counted
            say("  " + line)
    if checked and checked[0]:
        say(f"  frames checked: {checked[0]}, corrupt: {checked[1]}")
    if any(spread > 0.10 for _, spread in summary.values()):
        say("  " + WARNING)
    if out:
        keys = [k for k in KEYS if k in summary] + \
            sorted(k for k in summary if k not in KEYS)
        result = {key: round(summary[key][0], 2) for key in keys}
        result["spread"] = {key: round(summary[key][1], 3) for key in keys}
        result["frames_checked"], result["frames_corrupt"] = checked or (0, 0)
        pathlib.Path(out).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return all(summary[o][0] <= limit * summary[t][0] for o, t, limit in _gates(what, temp)
               if limit is not None and o in summary and t in summary)


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("bench", help="ours against DPDK, native, no QEMU")
    one.add_argument("what", choices=sorted(GATES))
    one.add_argument("--rounds", type=int, default=31, help="interleaved rounds (31)")
    one.add_argument("--bursts", type=int, default=2000, help="bursts a row and round (2000)")
    one.add_argument("--temp", choices=("l1", "l3", "other", "dram"), default="l3",
                     help="where the device's writes are when the driver reads them (l3)")
    one.add_argument("--json", metavar="FILE", help="write the medians")


def main(options):
    """Runs the command; 0 when all promised ratios hold."""
    return 0 if run(options.what, options.rounds, options.bursts, options.temp,
                    options.json) else 1
