# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace soak`: mixed traffic for a long time; stops at the first fault. With --seeds the
network stack's simulation instead, with --net its streams to Linux over a bad line."""
import random
import subprocess
import sys
import time

from .. import build, setup
from ..apps import APPS
from ..machine.qemu import Machine
from ..measure import judge
from ..measure.generator import BOTH_WAYS, Traffic
from ..measure.image import (BOOT_TIMEOUT_S, image_args, pools_full, start_forwarding,
                             stop_machine)
from ..options import app_option, machine_options, whole
from ..report import record

SIM, SIM_CARD = "tests/sim/sim_test", "tests/sim/sim_card_test"
NET_PEER = build.ROOT / "tests" / "rig" / "line_peer.py"
NET_CASES = ("clean", "loss1", "loss5")  # frames lost: none, 1 and 5 %
SAY_EVERY = 20  # trials
RATES_PPS = (0, 200, 2000, 10000, 20000)  # 0: a burst
SIZES = ("60", "imix", "60-1514", "60-9018")
FRAME_MAX = 9018
FLOWS = (1, 16, 1000)
BURST_MOST = 1024
TRIAL_S = (0.1, 5)


def trial(traffic, chance):
    """One trial of a random kind: (what it was, its answer)."""
    rate_pps, seconds = chance.choice(RATES_PPS), chance.uniform(*TRIAL_S)
    chosen = {"sizes": chance.choice(SIZES), "flows": chance.choice(FLOWS)}
    what = f"{rate_pps} pps, {chosen}"
    if rate_pps == 0:
        return what, traffic.burst(chance.randint(1, BURST_MOST), **chosen)
    return what, traffic.run(rate_pps, seconds=seconds, **chosen)


def trials(traffic, options, total, log):
    """Trials until the time is up; their number, None when one had a fault."""
    chance, end, number = random.Random(options.seed), time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        what, answer = trial(traffic, chance)
        number += 1
        if not judge.clean(total.add(answer)):
            log(f"soak: FAULT in trial {number} ({what}): {answer}")
            return None
        if number % SAY_EVERY == 0:
            log(f"soak: {number} trials, {total['sent']} frames, no fault, "
                f"{end - time.monotonic():.0f} s left")
    return number


def soak(options, log):
    """Boots, soaks, stops, prints; the exit status. Rates, sizes, bursts and flows change by a
    seed; every trial must be clean."""
    app, total = APPS[options.app], judge.Sum()
    args = image_args(f"{options.args} frame_max={FRAME_MAX}", options.boot, options.queues,
                      options.nic)
    log(f"soak: {options.seconds:.0f} s, seed {options.seed}, args \"{args}\"")
    with Machine(build.find_image(options.build_dir, app.name), boot=options.boot, args=args,
                 cores=options.cores, nic=options.nic) as machine, \
            Traffic(options.build_dir / "rig" / "traffic", machine, lanes=BOTH_WAYS,
                    mode=app.mode(args)) as traffic:
        start_forwarding(app, machine, traffic, BOOT_TIMEOUT_S[options.boot])
        host = judge.Host([machine], [traffic])
        number = trials(traffic, options, total, log)
        if number is None:
            return 1
        share = host.share(total["paused_us"])
        final, pools, code = stop_machine(machine)
    full = pools_full(pools)
    log(record.table([
        ("trials", number), ("frames sent", total["sent"]), ("came back", total["good"]),
        *((name, total[name]) for name in judge.FAULTS), *judge.table_rows(share),
        ("refused hand-overs", final["owner_refusals"]),
        ("pools full at stop", "yes" if full else "NO"), ("exit code", code)]))
    return 0 if code == 0 and full and final["owner_refusals"] == 0 else 1


def simulate(options, say):
    """tests/sim with other seeds than the tests take; the exit status."""
    name = SIM_CARD if options.cards else SIM
    program = build.build("build", say, [name]) / name
    return subprocess.run([program, str(options.seeds), str(options.seed)], check=False).returncode


def stream(options, say):
    """Bytes to our stack and back, over lines that lose frames, in a namespace of its own; the
    exit status."""
    targets = ["apps/echo_process", "apps/l2fwd_process"]
    apps = build.build("build", say, targets) / "apps"
    for case in NET_CASES:
        say(f"soak: {options.net} MiB each way, {case}")
        ran = subprocess.run(["unshare", "-rn", sys.executable, NET_PEER, apps, case,
                              str(options.net)], check=False)
        if ran.returncode != 0:
            return ran.returncode
    return 0


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("soak", help="mixed traffic for long")
    app_option(one)
    machine_options(one, "direct", {"seconds": 600, "help": "how long (600)"})
    one.add_argument("--seed", type=int, default=1, help="of rates, sizes, bursts (1); the first")
    one.add_argument("--seeds", type=whole(1, 10**9),
                     help="simulate the network stack with so many seeds instead")
    one.add_argument("--net", type=whole(1, 10**6), metavar="MIB",
                     help="send so much to the network stack and back instead, from Linux over "
                     "lines that lose 0, 1 and 5 %% of all frames")
    one.add_argument("--cards", action="store_true",
                     help="with --seeds: between two software 82599 and the ixgbe driver")


def main(options, say):
    """Runs the command."""
    if options.seeds:
        setup.ensure(("build", "test"), say)
        return simulate(options, say)
    if options.net:
        setup.ensure(("build", "test"), say)
        return stream(options, say)
    setup.ensure_machine((options.nic,), say)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    return soak(options, say)
