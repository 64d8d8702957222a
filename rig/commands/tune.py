# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace tune`: what the poll thresholds do to latency and halted time, at several loads.

One core forwards both ways. Live arguments change on the console of a running machine; an
argument that is not live (moderation_us) costs a boot for each value. docs/tuning.md says what
it found.
"""
import dataclasses
import os
import time

from .. import build, setup
from ..apps import L2FWD
from ..machine.qemu import Machine
from ..measure import judge
from ..measure.generator import BOTH_WAYS, Traffic
from ..measure.image import BOOT_TIMEOUT_S, read_report, set_live, start_forwarding
from ..options import NICS, some_seconds
from ..report import pages, record

APP = L2FWD
MODE = "macswap"
LOADS_PPS = (0, 1000, 10000, 50000, 150000)
SECONDS = 1.0
SETTLE_S = 0.2
WARM_UP_S = 1.0
MODERATION_US = 10  # as shipped
HELD_AGAINST = ("always", "irq", "as shipped")
START = {"poll": "adaptive", "spin_us": 200, "empty_polls": 64}


@dataclasses.dataclass
class Setting:
    """Live arguments, and the moderation that the machine is booted with."""
    label: str
    live: dict
    moderation_us: int = MODERATION_US


def settings():
    """All settings of the sweep: modes, spin time, empty polls, moderation."""
    out = [Setting("always", {"poll": "always"}), Setting("irq", {"poll": "irq"})]
    out += [Setting(f"spin {us} us", {"spin_us": us, "empty_polls": 0})
            for us in (0, 20, 50, 200, 1000, 5000)]
    out += [Setting(f"{turns} empty polls", {"spin_us": 0, "empty_polls": turns})
            for turns in (64, 1000, 10000)]
    out.append(Setting("as shipped", {}))
    for us in (0, 50, 200):
        out += [Setting(f"irq, moderation {us} us", {"poll": "irq"}, us),
                Setting(f"as shipped, moderation {us} us", {}, us)]
    return out


def apply(machine, live):
    """Sets all live arguments; returns when the console took them."""
    set_live(machine, {**START, **live})


def point(machine, traffic, load_pps, seconds):
    """One setting at one load."""
    time.sleep(SETTLE_S)
    first, threads, begin = read_report(machine), machine.thread_times(), time.monotonic()
    answer = None
    if load_pps:
        answer = traffic.run(load_pps, seconds=seconds, block=True, open_loop=True)
    else:
        time.sleep(seconds)
    after, wall_s = machine.thread_times(), time.monotonic() - begin
    last = read_report(machine)
    span_us = last["uptime_us"] - first["uptime_us"]
    one, two = first["cores"][0], last["cores"][0]
    vcpu_ns = after["CPU 0/TCG"][0] - threads["CPU 0/TCG"][0]
    out = {"load_pps": load_pps, "halted": round((two["halt_us"] - one["halt_us"]) / span_us, 4),
           "vcpu": round(vcpu_ns / 1e9 / wall_s, 4),
           "wakes_per_s": round((two["wakes"] - one["wakes"]) * 1e6 / span_us),
           "irqs_per_s": round((two["irqs"] - one["irqs"]) * 1e6 / span_us)}
    if answer:
        out.update(p50_us=answer["latency_us"]["p50"], p99_us=answer["latency_us"]["p99"],
                   lost=answer["lost"], not_sent=answer["not_sent"],
                   received_pps=round(answer["received_pps"]))
    return out


def sweep(build_dir, nic, seconds, log):
    """([(Setting, [point a load])] of the whole sweep, [judge.Share of each machine])."""
    everything, results, shares = settings(), [], []
    image = build.find_image(build_dir, APP.name)
    for moderation_us in sorted({s.moderation_us for s in everything}):
        args = f"mode={MODE} cores=1 moderation_us={moderation_us}"
        with Machine(image, args=args, nic=nic) as machine, \
                Traffic(build_dir / "rig" / "traffic", machine, lanes=BOTH_WAYS,
                        mode=MODE) as traffic:
            start_forwarding(APP, machine, traffic, BOOT_TIMEOUT_S["direct"])
            traffic.run(1500000, seconds=WARM_UP_S, open_loop=True)
            host = judge.Host([machine], [traffic])
            for setting in everything:
                if setting.moderation_us == moderation_us:
                    apply(machine, setting.live)
                    results.append((setting, [point(machine, traffic, load, seconds)
                                              for load in LOADS_PPS]))
                    log_setting(*results[-1], log)
            shares.append(host.share())
    return results, shares


def log_setting(setting, points, log):
    for one in points:
        text = f"  {setting.label:32s} {one['load_pps'] / 1000:6.0f} kpps  halted " \
               f"{one['halted']:6.1%}  vCPU {one['vcpu']:6.1%}  wakes {one['wakes_per_s']:6d}/s"
        if one["load_pps"]:
            text += f"  p50 {one['p50_us']:6.0f}  p99 {one['p99_us']:6.0f} us  " \
                    f"lost {one['lost']}  not sent {one['not_sent']}"
        log(text)


def groups_of(results):
    """[(title, results)] of the plots. What all are held against comes first, so it looks the same
    in each."""
    held = [r for name in HELD_AGAINST for r in results if r[0].label == name]
    return [(title, held + [r for r in results if r[0].label not in HELD_AGAINST
                            and word in r[0].label])
            for title, word in (("Spin time", "spin"), ("Empty polls", "empty"),
                                ("Moderation", "moderation"))]


def write_page(path, results, conditions):
    shown = {**conditions, "disturbed": "; ".join(conditions["disturbed"]) or "no"}
    parts = ['<p>One run of <code>./millrace tune</code> in QEMU without hardware virtualisation: '
             'read trends, not single figures. docs/tuning.md says what the settings are and what '
             'a sweep found.</p>', pages.table(("condition", "value"), sorted(shown.items()))]
    for title, chosen in groups_of(results):
        parts.append(f"<h2>{title}</h2>")
        for name, label, scale in (("p50_us", "median latency, us", 1),
                                   ("p99_us", "99th percentile of latency, us", 1),
                                   ("halted", "halted, % of the time", 100)):
            series = [(s.label, [(p["load_pps"] / 1000, p[name] * scale) for p in points
                                 if p["load_pps"]]) for s, points in chosen]
            parts.append(pages.lines(label, "load, kpps", label, series, x_log=True,
                                     y_log=name != "halted"))
    rows = [(s.label, p["load_pps"], p.get("p50_us", "-"), p.get("p99_us", "-"),
             p.get("lost", "-"), p.get("not_sent", "-"), f"{p['halted']:.1%}",
             f"{p['vcpu']:.1%}", p["wakes_per_s"], p["irqs_per_s"])
            for s, points in results for p in points]
    parts += ["<h2>All points</h2>",
              pages.table(("setting", "load, pps", "p50, us", "p99, us", "lost", "not sent",
                           "halted", "vCPU thread", "wakes/s", "interrupts/s"), rows)]
    pages.page(path, "millrace: poll thresholds against load", parts)


def run(options, log=print):
    """Sweeps, prints, writes a page."""
    setup.ensure_machine((options.nic,), log)
    build_dir = build.build("build", log)
    results, shares = sweep(build_dir, options.nic, options.seconds, log)
    for share in shares:
        log(record.table(judge.table_rows(share)))
    conditions = {"nic": options.nic, "cores": 1, "seconds": options.seconds, "mode": MODE,
                  "commit": record.commit(), "host_cpus": os.cpu_count(), "accelerator": "tcg",
                  "disturbed": sorted({why for one in shares for why in judge.disturbed(one)})}
    record.RESULTS.mkdir(exist_ok=True)
    page = record.RESULTS / f"tune-{options.nic}-{time.strftime('%Y%m%d-%H%M%S')}.html"
    write_page(page, results, conditions)
    log(f"page: {record.shown(page)}")
    if options.json:
        kept = {"command": "tune", "conditions": conditions,
                "host": [share.as_dict() for share in shares], "settings": [
            {**dataclasses.asdict(s), "points": points} for s, points in results]}
        record.write_json(options.json, kept)
    return 0


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("tune", help="poll thresholds against load")
    one.add_argument("--nic", choices=NICS, default="e1000e", help="card (e1000e)")
    one.add_argument("--seconds", type=some_seconds, default=SECONDS,
                     help=f"time of a point ({SECONDS:g})")
    one.add_argument("--json", metavar="FILE", help="write all points")


def main(options, say):
    """Runs the command."""
    return run(options, say)
