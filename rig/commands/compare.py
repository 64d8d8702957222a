# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace compare dpdk`: our image and Linux with DPDK's testpmd, on the same QEMU machine.

Same QEMU, card, cores, memory, back end, traffic program, loss rule, rings, burst and work
(macswap). Both machines are up at the same time and take turns: whichever is not measured is
stopped by QMP, so that a polling guest takes nothing from the other. docs/compare.md says what
the figures can and cannot show.
"""
import os
import platform
import statistics
import tempfile
import time

from .. import build, setup
from ..measure import gaps, judge
from ..measure.generator import BOTH_WAYS, WINDOW
from ..measure.search import highest_kept
from ..measure.sides import (APP, BURST, CORES, COUNT_DESCS, DESCS, HUGE_PAGES, MEMORY_MIB, MODE,
                             NAMES, RETRY, SAID, Dpdk, DpdkRetry, Ours, Side)
from ..measure.turns import FLOOD_PPS, count_side
from ..options import cards, whole
from ..report import pages, record

LOW_PPS = 2000
TRIAL_S = 0.7
LATENCY_S = 1.0
WARM_UP_S = 1.0
LATENCY_ROUNDS = 3
SHARES = (10, 50, 90)
CURVE = (0.25, 0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)
IDLE_SETTLE_S, IDLE_S = 3, 4
SPREAD_MOST = 1.3        # upper to lower quartile of the rounds' rates
POLLING_LEAST = 90       # % of a CPU that a polling guest gets on a host that has it to give
SMALL_RATIO = 0.1        # below it two digits behind the point say too little
KEYS = ("pps", "idle_cpu", "first_frame_ms", "instr_per_pkt")


# ---- measuring ----

def middle(values):
    return statistics.median(values) if values else None


def take_turns(sides, rounds, action):
    """Calls action(side) `rounds` times for each, alternating; {name: [results]}."""
    results = {side.name: [] for side in sides}
    for number in range(rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            side.resume()
            results[side.name].append(action(side))
            side.pause()
    return results


def find_rate(side, log):
    """(highest rate without loss, saturation rate)."""
    top = side.traffic.run(FLOOD_PPS, open_loop=True, seconds=TRIAL_S)["received_pps"]

    def trial(rate_pps):
        return judge.kept_up(side.traffic.run(rate_pps, seconds=TRIAL_S, open_loop=True))
    found = highest_kept(trial, LOW_PPS, int(max(top * 1.5, 4 * LOW_PPS)))
    log(f"rate: {SAID[side.name]:12s} without loss {found.rate_pps / 1000:7.1f} kpps, "
        f"saturated {top / 1000:7.1f}")
    return found.rate_pps, top


def latency(side, rate_pps):
    """(p50, p99, frames lost or not sent, interrupts a second)."""
    before = side.kind.interrupts(side.machine)
    answer = side.traffic.run(max(int(rate_pps), 100), seconds=LATENCY_S, block=True,
                              open_loop=True)
    interrupts = side.kind.interrupts(side.machine) - before
    return (answer["latency_us"]["p50"], answer["latency_us"]["p99"],
            answer["lost"] + answer["not_sent"], interrupts / LATENCY_S)


def curve_point(side, rate_pps):
    answer = side.traffic.run(int(rate_pps), seconds=TRIAL_S, open_loop=True)
    good = answer["good"] / max(answer["offered"], 1)
    return {"offered_pps": round(rate_pps), "forwarded_pps": round(rate_pps * good),
            "lost_share": round(1 - good, 4), "p50_us": answer["latency_us"]["p50"],
            "p99_us": answer["latency_us"]["p99"]}


def idle(side):
    """(% of a CPU that all vCPU threads use together, interrupts a second)."""
    time.sleep(IDLE_SETTLE_S)
    before, begin = side.kind.interrupts(side.machine), time.monotonic()
    load = 100 * sum(side.machine.vcpu_load(IDLE_S))
    after = side.kind.interrupts(side.machine)
    return round(load, 2), round((after - before) / (time.monotonic() - begin), 1)


def boots(kinds, program, number, log):
    """Starts both `number` times, in turn; ({name: [ms]}, the last two sides, paused)."""
    times, sides = {kind.name: [] for kind in kinds}, []
    try:
        for last in [False] * (number - 1) + [True]:
            for kind in kinds:
                side = Side(kind, program)
                times[kind.name].append(round(side.first_ms))
                log(f"boot: {SAID[kind.name]:12s} first frame back {side.first_ms:.0f} ms "
                    "after power-on")
                if last:
                    side.pause()
                    sides.append(side)
                else:
                    side.close()
    except BaseException:
        for side in sides:
            side.close()
        raise
    return times, sides


def measure(sides, retry, rounds, log):
    """Everything but boots and instructions: {name: {...}}; of `retry` only the rates."""
    out = {side.name: {} for side in [*sides, retry]}
    take_turns([*sides, retry], 1,
               lambda side: side.traffic.run(FLOOD_PPS, seconds=WARM_UP_S, open_loop=True))
    rates = take_turns([*sides, retry], rounds, lambda side: find_rate(side, log))
    for name, found in rates.items():
        out[name]["pps_all"] = [pps for pps, _ in found]
        out[name]["pps"] = round(middle(out[name]["pps_all"]))
        out[name]["pps_saturated"] = round(middle([top for _, top in found]))
    lower = max(min(one["pps"] for one in out.values()), LOW_PPS)
    for share in SHARES:
        log(f"latency: at {lower * share // 100000} kpps, {share} % of the lower rate")
        turns = take_turns(sides, LATENCY_ROUNDS,
                           lambda side, rate=lower * share / 100: latency(side, rate))
        for name, found in turns.items():
            out[name][f"latency_{share}"] = {
                "rate_pps": round(lower * share / 100), "p50_us": middle([f[0] for f in found]),
                "p99_us": middle([f[1] for f in found]), "lost": sum(f[2] for f in found),
                "interrupts_per_s": round(middle([f[3] for f in found]))}
    for step in CURVE:
        for name, found in take_turns(
                sides, 1, lambda side, rate=lower * step: curve_point(side, rate)).items():
            out[name].setdefault("curve", []).extend(found)
    log("idle: no frames")
    for name, found in take_turns(sides, 1, idle).items():
        out[name]["idle_cpu"], out[name]["idle_interrupts_per_s"] = found[0]
    return out


def compare_nic(build_dir, nic, options, log):
    """All results of one card: {"ours": {...}, "dpdk": {...}, key: value}."""
    with tempfile.TemporaryDirectory(prefix="millrace-compare-") as folder:
        kinds = [Ours(build_dir, nic), Dpdk(build_dir, folder, nic)]
        program = build_dir / "rig" / "traffic"
        times, sides = boots(kinds, program, options.boots, log)
        retry = None
        try:
            retry = Side(DpdkRetry(build_dir, folder, nic), program)
            retry.pause()
            host = judge.Host([side.machine for side in sides], [side.traffic for side in sides])
            out = measure(sides, retry, options.rounds, log)
            out["host"] = host.share()
            for side in sides:
                side.resume()
                out[side.name]["memory_kb"] = side.kind.memory_kb(side.machine)
                side.pause()
            sides[0].resume()
            kinds[0].finish(sides[0].machine)
        finally:
            for side in [*sides, *([retry] if retry else [])]:
                side.close()
        for kind in kinds:
            one = out[kind.name]
            one["boots_ms"], one["first_frame_ms"] = times[kind.name], middle(times[kind.name])
            one["image_bytes"] = kind.bytes
            log(f"count: {NAMES[kind.name]}")
            one["instructions"] = count_side(kind, build_dir)
            one["instr_per_pkt"] = one["instructions"]["per_packet"]
        out["kernel"] = kinds[1].version
        log("gaps of a polling core: one after the other")
        out["ours"]["gaps"], out["dpdk"]["gaps"] = gaps.ours(APP, build_dir), gaps.linux(build_dir)
    keys = {f"{name}_{key}": out[name][key] for key in KEYS for name in NAMES}
    return {**keys, **out}


# ---- output ----

COUNTED = f"instructions a packet, whole turns, bursts of {BURST}, rings {COUNT_DESCS}"


def rows_of(result):
    """Rows of the table: (what, ours, dpdk, ratio)."""
    ours, dpdk, retry = result["ours"], result["dpdk"], result[RETRY]

    def ratio(a, b):
        if not a or not b:
            return "-"
        return f"{a / b:.2f}" if a > SMALL_RATIO * b else f"{a / b:.2g}"

    def spread(one):
        low, high = min(one["pps_all"]), max(one["pps_all"])
        return f"{one['pps'] / 1000:.0f} kpps ({low / 1000:.0f}..{high / 1000:.0f})"
    rows = [("highest rate without loss", spread(ours), spread(dpdk),
             ratio(ours["pps"], dpdk["pps"])),
            ("  testpmd with retry", spread(ours), spread(retry),
             ratio(ours["pps"], retry["pps"])),
            ("saturated", f"{ours['pps_saturated'] / 1000:.0f} kpps",
             f"{dpdk['pps_saturated'] / 1000:.0f} kpps",
             ratio(ours["pps_saturated"], dpdk["pps_saturated"])),
            ("  testpmd with retry", f"{ours['pps_saturated'] / 1000:.0f} kpps",
             f"{retry['pps_saturated'] / 1000:.0f} kpps",
             ratio(ours["pps_saturated"], retry["pps_saturated"]))]
    for share in SHARES:
        a, b = ours[f"latency_{share}"], dpdk[f"latency_{share}"]
        rows.append((f"latency p50 / p99 at {a['rate_pps'] / 1000:.0f} kpps",
                     f"{a['p50_us']:.0f} / {a['p99_us']:.0f} us",
                     f"{b['p50_us']:.0f} / {b['p99_us']:.0f} us",
                     ratio(a["p50_us"], b["p50_us"]) + " / " + ratio(a["p99_us"], b["p99_us"])))
        rows.append(("  interrupts (Linux: all)", f"{a['interrupts_per_s']:g} /s",
                     f"{b['interrupts_per_s']:g} /s",
                     ratio(a["interrupts_per_s"], b["interrupts_per_s"])))
    for what, key, unit in (("idle: vCPU threads", "idle_cpu", "% of a CPU"),
                            ("idle: interrupts (Linux: all)", "idle_interrupts_per_s", "/s"),
                            ("power-on to first frame", "first_frame_ms", "ms"),
                            ("memory taken", "memory_kb", "KiB"),
                            ("image and initramfs", "image_bytes", "bytes"),
                            (COUNTED, "instr_per_pkt", "")):
        rows.append((what, f"{ours[key]:,.10g} {unit}", f"{dpdk[key]:,.10g} {unit}",
                     ratio(ours[key], dpdk[key])))
    for what, key in (("  one packet in a turn", "one"), ("  empty poll of a port", "empty"),
                      ("  average when saturated", "average")):
        a, b = ours["instructions"][key], dpdk["instructions"][key]
        rows.append((what, f"{a:g}", f"{b:g}", ratio(a, b)))
    return rows + gaps.rows(result)


def print_table(nic, result, log):
    head = (nic, NAMES["ours"], NAMES["dpdk"], "ours : theirs")
    rows = [head] + rows_of(result)
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    for row in rows:
        log("  " + "  ".join([row[0].ljust(widths[0])] +
                             [row[i].rjust(widths[i]) for i in (1, 2, 3)]))
    log(record.table(judge.table_rows(result["host"])))


def plots_of(result):
    def series(x, y, scale_y=1.0):
        return [(NAMES[name], [(p[x] / 1000, p[y] * scale_y) for p in result[name]["curve"]])
                for name in NAMES]
    rounds = [(SAID[name], [(i + 1, pps / 1000)
                            for i, pps in enumerate(result[name]["pps_all"])])
              for name in SAID]
    return [pages.lines("Forwarded against offered", "offered, kpps", "forwarded, kpps",
                        series("offered_pps", "forwarded_pps", 0.001)),
            pages.lines("Lost or not sent, against offered", "offered, kpps", "lost or not sent, %",
                        series("offered_pps", "lost_share", 100)),
            pages.lines("Median latency", "offered, kpps", "us",
                        series("offered_pps", "p50_us"), y_log=True),
            pages.lines("99th percentile of latency", "offered, kpps", "us",
                        series("offered_pps", "p99_us"), y_log=True),
            pages.lines("Highest rate without loss", "round", "kpps", rounds)]


def write_page(path, conditions, results):
    parts = ['<p>One run of <code>./millrace compare dpdk</code> in QEMU without hardware '
             'virtualisation: read the ratios, not the absolute figures. '
             'docs/compare.md says how it is measured and what it cannot show.</p>',
             pages.table(("condition", "value"), sorted(conditions.items()))]
    for nic, result in results.items():
        parts += [f"<h2>{nic}</h2>", *(f"<p><b>Disturbed run: {why}</b></p>"
                                       for why in result["disturbed"]),
                  pages.table(("", NAMES["ours"], NAMES["dpdk"], "ours : theirs"),
                              rows_of(result)), *plots_of(result)]
    pages.page(path, "millrace and DPDK on the same machine", parts)


def disturbed(result):
    """Why the rates and latencies of this run are not to be trusted: empty when they are. The
    rule of every command (rig/measure/judge.py), and two that only a comparison has."""
    why = judge.disturbed(result["host"])
    for name in NAMES:
        rates = sorted(result[name]["pps_all"])
        if rates[3 * len(rates) // 4] > SPREAD_MOST * rates[len(rates) // 4]:
            why.append(f"the middle half of {NAMES[name]}'s rates differs by more than "
                       f"{SPREAD_MOST:g} x")
    if result["dpdk_idle_cpu"] < POLLING_LEAST:
        why.append(f"the polling guest got only {result['dpdk_idle_cpu']:.0f} % of a CPU")
    return why


def verdict(result):
    """What the project promises and this run missed."""
    best = max(result["dpdk_pps"], result[RETRY]["pps"])
    checks = [
        (result["ours_pps"] >= best, "rate below DPDK's best"),
        (result["ours_idle_cpu"] < 5, "idle CPU not below 5 %"),
        (5 * result["ours_first_frame_ms"] <= result["dpdk_first_frame_ms"],
         "first frame not 5 x sooner"),
        (result["ours_instr_per_pkt"] < result["dpdk_instr_per_pkt"],
         "not fewer instructions a packet")]
    return [text for good, text in checks if not good]


def run(options, log=print):
    """Measures, prints, writes; 0 when every promise held."""
    setup.ensure_machine(options.nic.split(","), log)
    build_dir = build.build("build", log)
    conditions = {"mode": MODE, "cores": CORES, "memory_mib": MEMORY_MIB, "burst": BURST,
                  "descriptors": DESCS, "descriptors_counted": COUNT_DESCS,
                  "huge_pages": HUGE_PAGES, "window": WINDOW, "frame_bytes": 60,
                  "lanes": BOTH_WAYS, "accelerator": "tcg", "rounds": options.rounds,
                  "host_cpus": os.cpu_count(), "host": platform.machine(), "boot": "direct"}
    results, wrong = {}, []
    for nic in options.nic.split(","):
        results[nic] = compare_nic(build_dir, nic, options, log)
        print_table(nic, results[nic], log)
        missed = verdict(results[nic])
        record.keep(record.make("compare dpdk", {**conditions, "nic": nic}, {
            key: value for key, value in results[nic].items()
            if not isinstance(value, (dict, judge.Share))}))
        why = disturbed(results[nic])
        if why:
            log(f"  {nic}: other work disturbed this run, its rates and latencies say nothing: "
                + "; ".join(why))
        if missed or not why:
            log(f"  {nic}: " + ("MISSED: " + ", ".join(missed) if missed
                                else "every promise held"))
        results[nic]["disturbed"] = why
        wrong += missed + why
    kept = record.make("compare dpdk", conditions, {})
    kept.update({nic: {**result, "host": result["host"].as_dict()}
                 for nic, result in results.items()})
    record.RESULTS.mkdir(exist_ok=True)
    page = record.RESULTS / f"compare-dpdk-{time.strftime('%Y%m%d-%H%M%S')}.html"
    write_page(page, {**conditions, "commit": kept["commit"]}, results)
    log(f"page: {record.shown(page)}")
    if options.json:
        record.write_json(options.json, kept)
    return 1 if wrong else 0


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("compare", help="our image against Linux + DPDK, in QEMU")
    one.add_argument("with_what", choices=("dpdk",), metavar="dpdk")
    one.add_argument("--nic", type=cards, default="e1000e",
                     help="cards: e1000e, ixgbe, or e1000e,ixgbe")
    one.add_argument("--rounds", type=whole(1, 1000), default=5,
                     help="alternating rate searches (5)")
    one.add_argument("--boots", type=whole(1, 1000), default=3,
                     help="boots of each for the times (3)")
    one.add_argument("--json", metavar="FILE", help="write all figures")


def main(options, say):
    """Runs the command."""
    return run(options, say)
