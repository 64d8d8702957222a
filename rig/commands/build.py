# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace build`: images and host programs."""
from .. import build, setup


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("build", help="build images and host programs into build/")
    one.add_argument("variant", nargs="?", choices=sorted(build.VARIANTS), default="build",
                     metavar="VARIANT", help=", ".join(build.VARIANTS) + " (build)")


def main(options, say):
    """Runs the command."""
    setup.ensure(("build",) if options.variant == "build" else ("build", "test"), say)
    say(f"build: done, in {build.build(options.variant, say)}")
    return 0
