# SPDX-License-Identifier: BSD-2-Clause
"""The command line of ./millrace: parses, sets up, calls."""
import argparse
import contextlib
import pathlib
import signal
import sys

from . import build, setup
from .commands import bench, compare, new, try_image, tune
from .options import NICS, seconds, sizes, whole, wrong

BOOTS = ("pxe-bios", "pxe-uefi", "pxe-card", "direct", "linux", "uefi")
CORES_MOST = 64  # HAL_CORES_MAX of rt/include/rt/hal.h
SAYS = """\
start with:
  ./millrace run l2fwd      boot in QEMU, send traffic, a verdict and rates
  ./millrace help COMMAND   the options of a command"""


def say(text):
    """Progress and results, at once."""
    print(text, flush=True)


def _nic_option(parser):
    parser.add_argument("--nic", choices=NICS, default="e1000e",
                        help="card of the ports (e1000e); ixgbe: software 82599")


def _machine_options(parser, boot, lasts):
    _nic_option(parser)
    parser.add_argument("--boot", choices=BOOTS, default=boot,
                        help=f"way to boot ({boot}); pxe-card: iPXE over an ixgbe test port")
    parser.add_argument("--cores", type=whole(1, CORES_MOST), default=1,
                        help=f"cores of the machine, 1..{CORES_MOST} (1)")
    parser.add_argument("--queues", type=whole(1, 16),
                        help="receive queues a port (the image's default)")
    parser.add_argument("--args", default="",
                        help="boot arguments, \"name=value ...\": docs/boot-args.md")
    parser.add_argument("--seconds", type=seconds, default=lasts["seconds"], help=lasts["help"])


def parser():
    top = argparse.ArgumentParser(prog="./millrace", epilog=SAYS,
                                  formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="Kernel-bypass dataplane on a bare machine.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("setup", help="install what is missing, and say why")
    one = commands.add_parser("build", help="build images and host programs into build/")
    one.add_argument("variant", nargs="?", choices=sorted(build.VARIANTS), default="build",
                     metavar="VARIANT", help=", ".join(build.VARIANTS) + " (build)")
    one = commands.add_parser("run", help="PXE-boot in QEMU, send traffic, a verdict and rates")
    one.add_argument("app", choices=("l2fwd",), help="the application")
    _machine_options(one, "pxe-bios", {"seconds": 0, "help": "least time of the "
                                       "verdict's passes; the run may then be long"})
    one.add_argument("--frames", type=whole(1, 1000000000), default=0,
                     help="frames that the verdict wants (1000000)")
    one.add_argument("--thorough", action="store_true",
                     help="five times the frames and long searches: some minutes")
    one.add_argument("--drop-one-in", type=whole(1, 1000000000), default=0, metavar="N",
                     help="test of the rig: one received frame in N vanishes; the run must fail")
    one.add_argument("--sizes", type=sizes, default="60",
                     help="frame bytes: 60 | 60,594 | imix | 60-1514 (60)")
    one.add_argument("--flows", type=whole(1, 4096), default=16, help="flows a direction (16)")
    one.add_argument("--json", metavar="FILE", help="write the result")
    one.add_argument("--no-count", dest="count", action="store_false",
                     help="do not count instructions")
    one = commands.add_parser("test", help="run the tests; last line \"N passed, N failed\"")
    one.add_argument("layer", nargs="?", choices=("all", "unit", "fuzz", "rig", "cards"),
                     default="all")
    one.add_argument("files", nargs="*", help="rig: only these, as tests/rig/test_args.py")
    one = commands.add_parser("fuzz", help="fuzz every parser")
    one.add_argument("--seconds", type=seconds, default=600, help="of all together (600)")
    one.add_argument("--seed", type=int, default=1, help="of the fuzzers (1)")
    one = commands.add_parser("soak", help="mixed traffic for long")
    _machine_options(one, "direct", {"seconds": 600, "help": "how long (600)"})
    one.add_argument("--seed", type=int, default=1, help="of rates, sizes, bursts (1)")
    one = commands.add_parser("count", help="exact instructions a packet")
    _nic_option(one)
    one.add_argument("--args", default="", help="boot arguments: docs/boot-args.md")
    new.add_parser(commands)
    try_image.add_parser(commands)
    bench.add_parser(commands)
    one = commands.add_parser("boot", help="serve the image to a real rig by PXE")
    one.add_argument("--serve", metavar="IF", required=True, help="network interface")
    one.add_argument("--image", help="file to serve (l2fwd.img)")
    one.add_argument("--args", default="", help="boot arguments")
    one.add_argument("--mac", action="append", default=[], metavar="MAC", dest="macs",
                     help="answer only this machine (may be repeated); without it: every one")
    one.add_argument("--print", dest="print_only", action="store_true",
                     help="only print what would be served and how")
    compare.add_parser(commands)
    tune.add_parser(commands)
    one = commands.add_parser("report", help="compare the runs of two commits")
    one.add_argument("first")
    one.add_argument("second")
    return top


def _ensure_machine(options):
    """What building and running machines with that card needs."""
    setup.ensure(("build", "run"), say)
    if options.nic == "ixgbe":
        setup.ensure_qemu11(say)


def _run(options):
    from .commands import run
    _ensure_machine(options)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    return run.run(options, say)


def _test(options):
    from .commands import test
    setup.ensure(("build", "run", "test"), say)
    if options.layer == "cards" and setup.ensure(("bench", "cards"), say):
        build.forget()
    layers = ("unit", "fuzz", "rig") if options.layer == "all" else (options.layer,)
    return test.run_tests(layers, options.files, say)


def _fuzz(options):
    from .commands import test
    setup.ensure(("build", "test"), say)
    total = test.Total(say)
    test.fuzz_all(total, options.seconds, options.seed, say)
    return total.finish()


def _soak(options):
    from .commands import test
    _ensure_machine(options)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    return test.soak(options, say)


def _count(options):
    from .commands import test
    _ensure_machine(options)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    return test.count_table(options, say)


def _bench(options):
    setup.ensure(("build",), say)
    if setup.ensure(("bench",), say) or not build.found("libdpdk"):
        build.forget()
    return bench.main(options)


def _boot(options):
    from .commands import serve
    status = serve.refused(options.serve, options.args, options.print_only, options.macs)
    if status is not None:
        return status
    setup.ensure(("build",), say)
    image = options.image
    if not image:
        elf = build.find_image(build.build("build", say), "l2fwd")
        image = str(pathlib.Path(elf).with_suffix(".img"))
    return serve.serve(options.serve, image, options.args, options.print_only,
                       options.macs) or 0


def _new(options):
    return new.main(options, say)


def _try(options):
    return try_image.main(options, say)


def _report(options):
    from .report import record
    text = record.compare(options.first, options.second)
    say(text or f"no command was run at both {options.first} and {options.second} "
                f"(runs are kept in {record.HISTORY})")
    return 0 if text else 1


def _setup(_):
    setup.ensure(("build", "run", "test"), say)
    try:
        setup.ensure_qemu11(say)
    except setup.SetupError as error:
        say(f"setup: --nic ixgbe will not work: {error}")
    say("setup: everything is installed")
    return 0


def _build(options):
    setup.ensure(("build",) if options.variant == "build" else ("build", "test"), say)
    say(f"build: done, in {build.build(options.variant, say)}")
    return 0


COMMANDS = {"setup": _setup, "build": _build, "run": _run, "test": _test, "fuzz": _fuzz,
            "soak": _soak, "count": _count, "bench": _bench, "boot": _boot, "report": _report,
            "compare": compare.main, "tune": tune.main, "new": _new, "try": _try}


def main(arguments):
    """Returns the exit status: 0 good, 1 the thing failed, 2 it could not be done at all."""
    if arguments[:1] in ([], ["help"]):
        arguments = [*arguments[1:2], "--help"]
    top = parser()
    options = top.parse_args(arguments)
    mistake = wrong(options)
    if mistake:
        top.error(mistake)
    # Ended from outside, or the terminal is gone: leave as by Ctrl-C, so that machines and their
    # folders go too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        return COMMANDS[options.command](options)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # the terminal may be gone
            say("millrace: interrupted")
        return 130
    except (setup.SetupError, build.BuildError, OSError, RuntimeError, AssertionError) as error:
        print(f"millrace: {error}", file=sys.stderr, flush=True)
        return 2
