# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace report A B`: the runs of two commits beside each other."""
from ..report import record


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("report", help="compare the runs of two commits")
    one.add_argument("first")
    one.add_argument("second")


def main(options, say):
    """Runs the command."""
    text = record.compare(options.first, options.second)
    say(text or f"no command was run at both {options.first} and {options.second} "
                f"(runs are kept in {record.HISTORY})")
    return 0 if text else 1
