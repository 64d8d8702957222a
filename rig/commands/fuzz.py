# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace fuzz`: every parser under a fuzzer."""
from .. import setup
from ..options import seconds
from ..testing import fuzz
from ..testing.outcome import Total


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("fuzz", help="fuzz every parser")
    one.add_argument("--seconds", type=seconds, default=600, help="of all together (600)")
    one.add_argument("--seed", type=int, default=1, help="of the fuzzers (1)")


def main(options, say):
    """Runs the command."""
    setup.ensure(("build", "test"), say)
    total = Total(say)
    fuzz.fuzz_all(total, options.seconds, options.seed, say)
    return total.finish()
