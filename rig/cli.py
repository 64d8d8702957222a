# SPDX-License-Identifier: BSD-2-Clause
"""The command line of ./millrace: parses, calls. Each command is a module of commands/."""
import argparse
import contextlib
import signal
import sys

from .build import BuildError
from .commands import (bench, build, compare, count, fuzz, new, report, run, serve, setup, soak,
                       test, try_image, tune)
from .options import wrong
from .setup import SetupError

SAYS = """\
start with:
  ./millrace run l2fwd      boot in QEMU, send traffic, a verdict and rates
  ./millrace test NAME      one test: a unit test, a file or a case of tests/rig
  ./millrace help COMMAND   the options of a command"""
COMMANDS = {"setup": setup, "build": build, "run": run, "test": test, "fuzz": fuzz, "soak": soak,
            "count": count, "bench": bench, "boot": serve, "compare": compare, "tune": tune,
            "report": report, "new": new, "try": try_image}


def say(text):
    """Progress and results, at once."""
    print(text, flush=True)


def parser():
    """All commands with their options."""
    top = argparse.ArgumentParser(prog="./millrace", epilog=SAYS,
                                  formatter_class=argparse.RawDescriptionHelpFormatter,
                                  description="Kernel-bypass dataplane on a bare machine.")
    commands = top.add_subparsers(dest="command", required=True, metavar="command")
    for command in COMMANDS.values():
        command.add_parser(commands)
    return top


def main(arguments):
    """Returns the exit status: 0 good, 1 the thing failed, 2 it could not be done at all."""
    if arguments[:1] in ([], ["help"]):
        arguments = [*arguments[1:2], "--help"]
    top = parser()
    options = top.parse_args(arguments)
    mistake = wrong(options) or (test.words_wrong(options.words) if options.command == "test"
                                 else None)
    if mistake:
        top.error(mistake)
    # Ended from outside, or the terminal is gone: leave as by Ctrl-C, so that machines and their
    # folders go too.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, signal.default_int_handler)
    try:
        return COMMANDS[options.command].main(options, say)
    except KeyboardInterrupt:
        with contextlib.suppress(OSError):  # the terminal may be gone
            say("millrace: interrupted")
        return 130
    except (SetupError, BuildError, OSError, RuntimeError, AssertionError) as error:
        print(f"millrace: {error}", file=sys.stderr, flush=True)
        return 2
