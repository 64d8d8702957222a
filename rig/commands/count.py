# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace count`: exact instructions a packet, by peak and by function."""
from .. import build, setup
from ..apps import APPS
from ..measure import count
from ..measure.image import image_args
from ..options import FRAME_BYTES_LEAST, FRAME_BYTES_MOST, app_option, nic_option, whole


def count_table(options, log):
    """Counts and prints."""
    app = APPS[options.app]
    args = image_args(options.args, "direct", nic=options.nic)
    if "tx_descs=" not in args:
        args += f" tx_descs={count.TX_DESCS}"
    if options.frame_bytes > app.frame_max and "frame_max=" not in args:
        args += f" frame_max={options.frame_bytes}"
    counted = count.measure(app, options.build_dir, args, frame_bytes=options.frame_bytes,
                            nic=options.nic)
    log(f"  whole turns, {app.ports} ports polled, one of them busy, room in the transmit "
        f"ring: {args}")
    log(f"  full burst of {count.BURST}: {counted.per_packet:.2f} instructions a packet "
        f"(the most usual turn at saturation: {counted.full})")
    log(f"  one packet: {counted.one} a turn; nothing: {counted.empty:.1f} a port; all turns "
        f"that found something: {counted.per_packet_average:.2f} a packet, batch "
        f"{counted.batch_average:.1f}")
    log(f"  hand-over (owner checked and set): {counted.hand_over:.2f}")
    log("  where, at saturation, turns that found nothing included, so the sum is larger:")
    for name, value in counted.functions.items():
        log(f"    {value:8.2f}  {name}")


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("count", help="exact instructions a packet")
    app_option(one)
    nic_option(one)
    one.add_argument("--args", default="", help="boot arguments: docs/boot-args.md")
    one.add_argument("--frame-bytes", type=whole(FRAME_BYTES_LEAST, FRAME_BYTES_MOST),
                     default=FRAME_BYTES_LEAST,
                     help="size of the frames; above 2048 each takes several buffers (60)")


def main(options, say):
    """Runs the command."""
    setup.ensure_machine((options.nic,), say)
    options.build_dir = build.build("build", say, build.MACHINE_TARGETS)
    count_table(options, say)
    return 0
