# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace setup`: installs what is missing."""
from .. import setup


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    commands.add_parser("setup", help="install what is missing, and say why")


def main(_, say):
    """Runs the command."""
    setup.ensure(("build", "run", "test"), say)
    try:
        setup.ensure_qemu11(say)
    except setup.SetupError as error:
        say(f"setup: --nic ixgbe will not work: {error}")
    say("setup: everything is installed")
    return 0
