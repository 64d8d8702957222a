# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace run APP`: boot the image, send frames both ways, judge, find the highest rate.

What the words of the verdict mean: rig/measure/judge.py; the passes of traffic:
rig/measure/passes.py; the keys of the result: docs/run.md.
"""
import os
import pathlib
import time

from .. import build, setup
from ..apps import APPS
from ..machine.qemu import Machine
from ..measure import count, judge
from ..measure.generator import BOTH_WAYS, WINDOW, Traffic
from ..measure.image import (BOOT_TIMEOUT_S, RunError, image_args, pools_full, start_forwarding,
                             stop_machine)
from ..measure.passes import SHARE, Passes, Plan
from ..options import machine_options, sizes, whole
from ..report import record

FRAMES_LEAST = 1000000
THOROUGH_TIMES = 5  # as many frames
COUNT_FROM_S = 45   # a count is not begun when the run has lasted so long
ICOUNT_SHIFT = 1


def machine_counters(final):
    """(frames received, frames sent) by the image's own counters, all ports."""
    return (sum(port["rx_packets"] for port in final["ports"]),
            sum(port["tx_packets"] for port in final["ports"]))


def send(passes, log):
    """The passes in their order; (latency at SHARE of the highest rate, at half of it). When a
    frame was lost nothing more is measured: the run has failed."""
    plan = passes.plan
    passes.verdict(plan.verdict_s)
    if not judge.clean(passes.sum):
        return None, None
    passes.search()
    most = passes.latency(SHARE, plan.latency_s)
    half = passes.latency(0.5, plan.latency_s / 2)
    passes.verdict(plan.fill_s)
    if passes.sum["sent"] < plan.frames and judge.clean(passes.sum):
        log(f"verdict: there was time for {passes.sum['sent']} of {plan.frames} frames")
    return most, half


def latency_of(answer, name):
    """Latency results of a pass, None when it was not made."""
    values = answer["latency_us"] if answer else {}
    return {f"latency_{name}{key}_us": values.get(key) for key in ("p50", "p99", "max")}


def results_of(passes, most, half, share):
    """Results of the passes, by the keys of docs/run.md."""
    total = passes.sum
    rates = sorted(passes.rates[1:] or passes.rates)
    return {
        "frames_wanted": passes.plan.frames, "offered": total["sent"] + total["not_sent"],
        "sent": total["sent"], "forwarded": total["good"],
        **{name: total[name] for name in judge.FAULTS}, "closed": total["closed"],
        "not_sent": total["not_sent"], "pps_saturated": round(passes.saturated_pps()),
        "pps_saturated_least": round(rates[0]), "pps_saturated_most": round(rates[-1]),
        "pps_max_no_loss": passes.best_pps,
        "offered_pps": round(most["offered_pps"]) if most else None,
        "not_sent_at_offered": most["not_sent"] if most else None,
        **latency_of(most, ""), **latency_of(half, "half_rate_"),
        "host": share.as_dict(), "disturbed": judge.disturbed(share),
    }


def drive(app, machine, options, log):
    """All traffic of one run on a machine that was just started: (results, extra)."""
    frames = options.frames or FRAMES_LEAST * (THOROUGH_TIMES if options.thorough else 1)
    program = options.build_dir / "rig" / "traffic"
    with Traffic(program, machine, lanes=BOTH_WAYS, sizes=options.sizes, flows=options.flows,
                 mode=app.mode(options.args), drop_one_in=options.drop_one_in) as traffic:
        first_s, boot_line = start_forwarding(app, machine, traffic,
                                             BOOT_TIMEOUT_S[options.boot])
        log(f"boot: first frame back {first_s:.2f} s after power-on ({boot_line})")
        host = judge.Host([machine], [traffic])
        plan = Plan(frames, options.thorough, options.seconds, options.started)
        passes = Passes(traffic, plan, log)
        most, half = send(passes, log)
        share = host.share(passes.sum["paused_us"])
    final, pools, code = stop_machine(machine)
    received, sent = machine_counters(final)
    results = {
        **results_of(passes, most, half, share),
        "boot_ms": final["first_frame_us"] / 1000, "loops_ms": final["boot_us"] / 1000,
        "firmware_ms": final["firmware_us"] / 1000,
        "power_on_to_first_frame_ms": round(first_s * 1000),
        "machine_received": received, "machine_sent": sent, "machine_kept": received - sent,
        "owner_refusals": final["owner_refusals"], "buffers_missing": final["buffers_missing"],
        "pools_full": pools_full(pools), "exit_code": code,
    }
    latency = (most["histogram"], f"at {most['offered_pps'] / 1000:.0f} kpps") if most else ([], "")
    return results, {"trials": passes.trials, "latency": latency, "share": share,
                     "rates": passes.rates}


def counted_boot_ms(app, build_dir, args, nic="e1000e"):
    """First instruction to first forwarded frame in guest time that counts instructions, 2 ns
    each: the same on every host, loaded or not. Direct boot, one core."""
    with Machine(build.find_image(build_dir, app.name), args=args, nic=nic,
                 icount=ICOUNT_SHIFT) as machine, \
            Traffic(build_dir / "rig" / "traffic", machine, lanes="0>1",
                    mode=app.mode(args)) as traffic:
        traffic.probe(timeout_s=BOOT_TIMEOUT_S["direct"], flows=1)
        return stop_machine(machine)[0]["first_frame_us"] / 1000


def verdict(results):
    """What is wrong with a run: empty when nothing is. The host has no say in it."""
    wrong = [f"{name}={results[name]}" for name in
             (*judge.FAULTS, "machine_kept", "owner_refusals", "exit_code")
             if results[name] != 0]
    if results["closed"]:
        wrong.append("the machine closed a port")
    if not results["pools_full"]:
        wrong.append("pools not full at stop")
    return wrong


def _us(*values):
    return " / ".join("-" if v is None else f"{v:.0f}" for v in values) + " us"


def _rate_rows(results):
    """Rows of rates and latencies."""
    if results["offered_pps"] is None:
        return [("rates and latencies", "not measured: the verdict's frames had a fault")]
    best = results["pps_max_no_loss"]
    return [
        ("forwarded, window full",
         f"{results['pps_saturated'] / 1000:.1f} kpps ({results['pps_saturated_least'] / 1000:.1f}"
         f" .. {results['pps_saturated_most'] / 1000:.1f})"),
        ("highest rate with none unsent", f"{best / 1000:.1f} kpps" if best else
         "none was found in the time"),
        ("not sent, in all its trials", f"{results['not_sent']} of {results['offered']}"),
        ("latency p50 / p99 / max", _us(results["latency_p50_us"], results["latency_p99_us"],
                                        results["latency_max_us"]) +
         f" at {results['offered_pps'] / 1000:.1f} kpps"),
        ("  at half the rate p50 / p99", _us(results["latency_half_rate_p50_us"],
                                             results["latency_half_rate_p99_us"])),
    ]


def _count_rows(options, results):
    """Rows of what was counted instead of timed."""
    why = "not counted" if not options.count else "not counted: no time left, see --thorough"
    boot_ms, per_packet = results["boot_icount_ms"], results["instr_per_pkt"]
    return [("  in counted guest time", why if boot_ms is None else f"{boot_ms:.1f} ms"),
            ("instructions a packet", why if per_packet is None else f"{per_packet:.1f}")]


def print_table(options, results, share, wrong, log):
    counted_boot, counted_packet = _count_rows(options, results)
    reason = "the time was up" if judge.clean(results) else "a fault ended the run"
    short = "" if results["sent"] >= results["frames_wanted"] else \
        f" (of {results['frames_wanted']}: {reason})"
    rows = [
        ("boot", f"{options.boot}, {options.cores} core(s), {options.nic}"),
        ("first instruction to first frame",
         f"{results['boot_ms']:.1f} ms on this host's clock"),
        ("  of it in the firmware's exit", f"{results['firmware_ms']:.1f} ms"),
        counted_boot,
        ("power-on to first frame", f"{results['power_on_to_first_frame_ms']} ms"),
        ("frames sent", f"{results['sent']}{short}"),
        ("came back", results["forwarded"]), ("lost", results["lost"]),
        ("reordered in a flow", results["reordered"]), ("corrupt", results["corrupt"]),
        ("duplicates", results["duplicates"]),
        ("received / sent, says the image", f"{results['machine_received']} / "
                                            f"{results['machine_sent']}, with the probes"),
        *_rate_rows(results), counted_packet, *judge.table_rows(share),
        ("refused hand-overs", results["owner_refusals"]),
        ("pools full at stop", "yes" if results["pools_full"] else "NO"),
        ("result", "ok" if not wrong else "FAILED: " + ", ".join(wrong)),
    ]
    log(record.table(rows))


def time_to_count(options):
    """A count takes 10 s, four times that on a busy host; a run ends within 90 s."""
    return options.thorough or time.monotonic() - options.started < COUNT_FROM_S


def counted(app, options, log):
    """Results that are counted on machines of their own, None when there is no time for it."""
    results = {"boot_icount_ms": None, "instr_per_pkt": None}
    args = image_args(options.args, "direct", nic=options.nic)
    if options.count and time_to_count(options):
        results["boot_icount_ms"] = counted_boot_ms(app, options.build_dir, args, options.nic)
    if options.count and time_to_count(options):
        log("count: instructions a packet (one core, direct boot, full bursts)")
        found = count.measure(app, options.build_dir, args, nic=options.nic)
        results["instr_per_pkt"] = round(found.per_packet, 1)
        results["instructions"] = found.as_dict()
    return results


def result_name(options):
    """Name of the run's files: two runs in one second differ by their process."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    return f"{options.app}-{options.nic}-{options.boot}-{options.cores}-{stamp}-{os.getpid()}"


def conditions_of(options, args):
    """What the figures depend on."""
    conditions = {"nic": options.nic, "boot": options.boot, "cores": options.cores,
                  "args": args, "sizes": options.sizes, "flows": options.flows,
                  "window": WINDOW, "lanes": BOTH_WAYS, "accelerator": "tcg"}
    if options.drop_one_in:
        conditions["drop_one_in"] = options.drop_one_in
    return conditions


def boot_and_drive(app, options, args, log_path, log):
    """One machine, from power-on to its stop: (results, extra)."""
    image = build.find_image(options.build_dir, app.name)
    log(f"boot: {options.boot}, {options.cores} core(s), {options.nic}, args \"{args}\"")
    with Machine(image, boot=options.boot, args=args, cores=options.cores, nic=options.nic,
                 log=log_path) as machine:
        try:
            return drive(app, machine, options, log)
        except Exception as error:
            tail = "\n".join("    | " + line for line in machine.console.lines[-25:])
            raise RunError(f"{error}\nlast lines of the console:\n{tail}\n"
                           f"{machine.errors()}") from error


def write_picture(path, options, result, wrong, extra):
    """The run's picture, with its verdict in the title."""
    from ..report import draw  # matplotlib
    title = f"{options.app} {options.nic} {options.boot} cores={options.cores} " \
            f"{result['commit']}" + (" FAILED: " + ", ".join(wrong) if wrong else "")
    figure = draw.run_figure(title, extra["latency"], extra["rates"], extra["trials"],
                             result["results"]["pps_max_no_loss"])
    pathlib.Path(path).write_text(draw.svg(figure), encoding="utf-8")


def run(options, log=print):
    """Does all of it; returns the exit status. `options`: see add_parser."""
    app = APPS[options.app]
    args = image_args(options.args, options.boot, options.queues, options.nic)
    if options.drop_one_in:
        log(f"test of the rig: one frame in {options.drop_one_in} that comes back vanishes here, "
            "not in the machine; the run must fail")
    options.started = time.monotonic()
    record.RESULTS.mkdir(exist_ok=True)
    path = record.RESULTS / result_name(options)
    results, extra = boot_and_drive(app, options, args, f"{path}.console", log)
    results.update(counted(app, options, log))
    wrong = verdict(results)
    print_table(options, results, extra["share"], wrong, log)
    result = record.make(f"run {app.name}", conditions_of(options, args), results)
    record.keep(result)
    write_picture(f"{path}.svg", options, result, wrong, extra)
    log(f"picture: {record.shown(path)}.svg")
    if options.json:
        record.write_json(options.json, result)
    return 1 if wrong else 0


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("run", help="PXE-boot in QEMU, send traffic, a verdict and rates")
    one.add_argument("app", choices=sorted(APPS),
                     help="the application; any other: ./millrace try")
    machine_options(one, "pxe-bios", {"seconds": 0, "help": "least time of the verdict's passes; "
                                      "the run may then be long"})
    one.add_argument("--frames", type=whole(1, 1000000000), default=0,
                     help="frames that the verdict wants (1000000)")
    one.add_argument("--thorough", action="store_true",
                     help="five times the frames and long searches: some minutes")
    one.add_argument("--drop-one-in", type=whole(1, 1000000000), default=0, metavar="N",
                     help="test of the rig: one received frame in N vanishes; the run must fail")
    one.add_argument("--sizes", type=sizes, default="60",
                     help="frame bytes: 60 | 60,594 | imix | 60-1514 (60)")
    one.add_argument("--flows", type=whole(1, 4096), default=16,
                     help="flows a direction (16)")
    one.add_argument("--json", metavar="FILE", help="write the result")
    one.add_argument("--no-count", dest="count", action="store_false",
                     help="do not count instructions")


def main(options, say):
    """Runs the command."""
    setup.ensure_machine((options.nic,), say)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    return run(options, say)
