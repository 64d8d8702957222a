# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace run l2fwd`: boot the image, find the highest loss-free rate, hold 80 % of it.

The rules are those of rig/traffic/trial.h: open loop, at most 2048 frames in flight, a frame
that is due while so many are out is lost. A trial passes when every frame came back once,
in order within its flow, bit for bit as it should be.
"""
import json
import time

from . import build, count, report
from .qemu import Machine
from .search import highest_loss_free
from .traffic import Traffic

BOTH_WAYS = "0>1,1>0"
BOOT_TIMEOUT_S = {"direct": 20, "linux": 20, "uefi": 90, "pxe-bios": 60, "pxe-uefi": 120,
                  "pxe-card": 60}
STOP_TIMEOUT_S = 15
LOW_PPS = 2000
WINDOW = 2048       # frames in flight at most
FRAMES_LEAST = {"e1000e": 500000, "ixgbe": 1000000}
SHARE = 0.8
ICOUNT_SHIFT = 1
TRIAL_S = 0.7
PASSES = 5          # times that the rate which is taken must hold the frames of the whole run
CONFIRM_STEP = 0.9  # else so much less is tried
WARM_UP_S = 1.0


class RunError(RuntimeError):
    """The run could not be made; the message says what the machine did last."""


def image_args(args, boot, queues=None, nic="e1000e"):
    """Boot arguments: the user's, and what the rig needs. A network boot by firmware has a third
    port, for itself, which the image leaves alone. Software cards send from a process of their
    own, which may be kept waiting for its turn: their rings hold all that can be in flight."""
    words = args.split()
    names = {word.split("=", 1)[0] for word in words}
    if boot in ("pxe-bios", "pxe-uefi") and "ports" not in names:
        words.append("ports=3")
    if nic == "ixgbe" and "tx_descs" not in names:
        words.append(f"tx_descs={WINDOW}")
    if queues and "queues" not in names:
        words.append(f"queues={queues}")
    return " ".join(words)


def traffic_mode(args):
    """What the image does to addresses, from its boot arguments."""
    values = dict(word.split("=", 1) for word in args.split() if "=" in word)
    mode = values.get("mode", "mac")
    if mode == "mac" and values.get("mac_update") in ("off", "0", "no"):
        return "io"
    return mode


def start_forwarding(machine, traffic, timeout_s):
    """Waits until the image forwards; returns (host seconds from power-on to the first frame
    that came back, the first line of the image)."""
    boot = machine.console.wait_for(r"^boot .*", timeout_s)
    answer = traffic.probe(timeout_s=timeout_s, lanes="0>1", flows=1)
    traffic.probe(timeout_s=timeout_s, lanes="1>0", flows=1)
    machine.console.wait_for(r"state=forwarding", timeout_s)
    return answer["first_received_ns"] / 1e9 - machine.started_at, boot.group(0)


def clean(answer):
    """A trial without any fault."""
    return not any(answer[name] for name in
                   ("lost", "reordered", "corrupt", "duplicates", "closed"))


def hold(traffic, rate_pps, frames, log):
    """Tries a rate PASSES times, each with as many frames as the run will have; a list of
    passed or not, which ends at the first that is not."""
    held = []
    while len(held) < PASSES and all(held):
        answer = traffic.run(rate_pps, frames=max(frames, rate_pps))
        held.append(clean(answer))
        log(f"search: {rate_pps / 1000:7.1f} kpps  lost {answer['lost']:6d}  hold "
            f"{len(held)} of {PASSES}: {'pass' if held[-1] else 'FAIL'}")
    return held


def find_rate(traffic, frames, log):
    """(highest loss-free rate, saturation rate, all trials of the search)."""
    warm = traffic.run(1500000, seconds=WARM_UP_S)
    high_pps = int(max(warm["received_pps"] * 1.5, 4 * LOW_PPS))
    log(f"search: saturation {warm['received_pps'] / 1000:.0f} kpps")

    def trial(rate_pps):
        answer = traffic.run(rate_pps, seconds=TRIAL_S)
        log(f"search: {rate_pps / 1000:7.1f} kpps  lost {answer['lost']:6d}  "
            f"p50 {answer['latency_us']['p50']:7.0f} us  p99 {answer['latency_us']['p99']:7.0f}"
            f" us  {'pass' if clean(answer) else 'FAIL'}")
        return clean(answer)
    found = highest_loss_free(trial, LOW_PPS, high_pps)
    trials = list(found.trials)
    rate_pps = found.rate_pps
    while rate_pps > LOW_PPS:  # a trial of the search is short: the rate must hold for longer
        held = hold(traffic, rate_pps, frames, log)
        trials += [(rate_pps, passed) for passed in held]
        if all(held):
            break
        rate_pps = int(rate_pps * CONFIRM_STEP)
    return rate_pps, warm["received_pps"], trials


def stop_machine(machine):
    """Stops the image; returns (last report, lines of pools, exit code)."""
    mark = machine.console.mark()
    machine.console.send("stop")
    line = machine.console.wait_for(r"^report (\{.*\})", STOP_TIMEOUT_S, since=mark)
    machine.console.wait_for(r"exit code=", STOP_TIMEOUT_S, since=mark)
    code = machine.wait_exit_code(STOP_TIMEOUT_S)
    pools = [text for text in machine.console.lines[mark:] if text.startswith("pool ")]
    return json.loads(line.group(1)), pools, code


def pools_full(pools):
    """Every pool has all of its buffers back (and there are pools)."""
    counts = [dict(word.split("=", 1) for word in line.split() if "=" in word)
              for line in pools]
    return bool(counts) and all(c["free"] == c["total"] and c["missing"] == "0"
                                for c in counts)


def drive(machine, options, log):
    """All traffic of one run on a machine that was just started: (results, extra)."""
    timeout_s = BOOT_TIMEOUT_S[options.boot]
    frames_least = options.frames or FRAMES_LEAST[options.nic]
    program = options.build_dir / "rig" / "traffic"
    with Traffic(program, machine, lanes=BOTH_WAYS, sizes=options.sizes, flows=options.flows,
                 mode=traffic_mode(options.args)) as traffic:
        first_s, boot_line = start_forwarding(machine, traffic, timeout_s)
        log(f"boot: first frame back {first_s:.2f} s after power-on ({boot_line})")
        best_pps, top_pps, trials = find_rate(traffic, frames_least, log)
        half = traffic.run(max(best_pps // 2, 1000), seconds=1.0)
        rate_pps = max(int(best_pps * SHARE), 1000)
        frames = max(frames_least, int(options.seconds * rate_pps))
        log(f"run: {frames} frames at {rate_pps / 1000:.1f} kpps "
            f"({frames / rate_pps:.1f} s), both ways")
        answer = traffic.run(rate_pps, frames=frames)
    final, pools, code = stop_machine(machine)
    results = {
        "offered_pps": round(answer["offered_pps"]), "offered": answer["offered"],
        "forwarded": answer["good"], "lost": answer["lost"],
        "reordered": answer["reordered"], "corrupt": answer["corrupt"],
        "duplicates": answer["duplicates"], "pps_max_no_loss": best_pps,
        "pps_saturated": round(top_pps), "latency_p50_us": answer["latency_us"]["p50"],
        "latency_p99_us": answer["latency_us"]["p99"],
        "latency_max_us": answer["latency_us"]["max"],
        "latency_half_rate_p50_us": half["latency_us"]["p50"],
        "latency_half_rate_p99_us": half["latency_us"]["p99"],
        "boot_ms": final["first_frame_us"] / 1000, "loops_ms": final["boot_us"] / 1000,
        "firmware_ms": final["firmware_us"] / 1000,
        "power_on_to_first_frame_ms": round(first_s * 1000),
        "owner_refusals": final["owner_refusals"], "buffers_missing": final["buffers_missing"],
        "pools_full": pools_full(pools), "exit_code": code,
        "sender_late_max_us": answer["late_max_us"], "sender_paused_us": answer["paused_us"],
    }
    return results, {"trials": trials, "histogram": answer["histogram"], "pools": pools}


def counted_boot_ms(build_dir, image, args, nic="e1000e"):
    """First instruction to first forwarded frame in guest time that counts instructions, 2 ns
    each: the same on every host, loaded or not. Direct boot, one core."""
    with Machine(image, args=args, nic=nic, icount=ICOUNT_SHIFT) as machine, \
            Traffic(build_dir / "rig" / "traffic", machine, lanes="0>1",
                    mode=traffic_mode(args)) as traffic:
        traffic.probe(timeout_s=BOOT_TIMEOUT_S["direct"], flows=1)
        return stop_machine(machine)[0]["first_frame_us"] / 1000


def verdict(results):
    """What is wrong with a run: empty when nothing is."""
    wrong = [f"{name}={results[name]}" for name in
             ("lost", "reordered", "corrupt", "duplicates", "owner_refusals", "exit_code")
             if results[name] != 0]
    if not results["pools_full"]:
        wrong.append("pools not full at stop")
    if results["pps_max_no_loss"] == 0:
        wrong.append("no rate without loss")
    return wrong


def print_table(options, results, wrong, log):
    per_packet = results["instr_per_pkt"]
    rows = [
        ("boot", f"{options.boot}, {options.cores} core(s), {options.nic}"),
        ("first instruction to first frame",
         f"{results['boot_ms']:.1f} ms on this host's clock"),
        ("  of it in the firmware's exit", f"{results['firmware_ms']:.1f} ms"),
        ("  in counted guest time", "not counted" if results["boot_icount_ms"] is None
         else f"{results['boot_icount_ms']:.1f} ms"),
        ("power-on to first frame", f"{results['power_on_to_first_frame_ms']} ms"),
        ("highest loss-free rate", f"{results['pps_max_no_loss'] / 1000:.1f} kpps "
                                   f"(saturated: {results['pps_saturated'] / 1000:.1f})"),
        ("frames at 80 % of it", f"{results['offered']} at "
                                 f"{results['offered_pps'] / 1000:.1f} kpps"),
        ("forwarded", results["forwarded"]), ("lost", results["lost"]),
        ("reordered in a flow", results["reordered"]), ("corrupt", results["corrupt"]),
        ("duplicates", results["duplicates"]),
        ("latency p50 / p99 / max", f"{results['latency_p50_us']:.0f} / "
                                    f"{results['latency_p99_us']:.0f} / "
                                    f"{results['latency_max_us']:.0f} us"),
        ("  at half the rate p50 / p99", f"{results['latency_half_rate_p50_us']:.0f} / "
                                         f"{results['latency_half_rate_p99_us']:.0f} us"),
        ("instructions a packet", "not counted" if per_packet is None else f"{per_packet:.1f}"),
        ("refused hand-overs", results["owner_refusals"]),
        ("pools full at stop", "yes" if results["pools_full"] else "NO"),
        ("result", "ok" if not wrong else "FAILED: " + ", ".join(wrong)),
    ]
    log(report.table(rows))


def run(options, log=print):
    """Does all of it; returns the exit status. `options`: see rig/cli.py."""
    image = build.find_image(options.build_dir, "l2fwd")
    args = image_args(options.args, options.boot, options.queues, options.nic)
    conditions = {"nic": options.nic, "boot": options.boot, "cores": options.cores,
                  "args": args, "sizes": options.sizes, "flows": options.flows,
                  "window": WINDOW, "lanes": BOTH_WAYS, "accelerator": "tcg"}
    log(f"boot: {options.boot}, {options.cores} core(s), {options.nic}, args \"{args}\"")
    report.RESULTS.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    name = f"l2fwd-{options.nic}-{options.boot}-{options.cores}-{stamp}"
    with Machine(image, boot=options.boot, args=args, cores=options.cores, nic=options.nic,
                 log=str(report.RESULTS / f"{name}.console")) as machine:
        try:
            results, extra = drive(machine, options, log)
        except Exception as error:
            tail = "\n".join("    | " + line for line in machine.console.lines[-25:])
            raise RunError(f"{error}\nlast lines of the console:\n{tail}\n"
                           f"{machine.errors()}") from error
    results["instr_per_pkt"] = results["boot_icount_ms"] = None
    if options.count:
        results["boot_icount_ms"] = counted_boot_ms(
            options.build_dir, image, image_args(options.args, "direct", nic=options.nic),
            options.nic)
        log("count: instructions a packet (one core, direct boot, full bursts)")
        counted = count.measure(options.build_dir, image,
                                image_args(options.args, "direct", nic=options.nic),
                                nic=options.nic)
        results["instr_per_pkt"] = round(counted.per_packet, 1)
        results["instructions"] = counted.as_dict()
    wrong = verdict(results)
    print_table(options, results, wrong, log)
    result = report.make("run l2fwd", conditions, results)
    report.keep(result)
    plot = report.RESULTS / f"{name}.svg"
    title = f"l2fwd {options.nic} {options.boot} cores={options.cores} {result['commit']}"
    report.picture(plot, title, extra["histogram"], extra["trials"],
                   results["pps_max_no_loss"])
    log(f"picture: {plot.relative_to(build.ROOT)}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file, indent=2)
            file.write("\n")
    return 1 if wrong else 0
