# SPDX-License-Identifier: BSD-2-Clause
"""Options that commands share, and values that are refused before anything is started."""
import argparse
import os
import re

from .apps import APPS, L2FWD

NICS = ("e1000e", "ixgbe")
BOOTS = ("pxe-bios", "pxe-uefi", "pxe-card", "direct", "linux", "uefi")
BURST = 32       # batch= as shipped: apps/kit/options.c
CORES_MOST = 64  # HAL_CORES_MAX of rt/include/rt/hal.h
# As rig/traffic/frame.h has them.
FRAME_BYTES_LEAST, FRAME_BYTES_MOST, SIZES_MOST = 60, 9018, 64


def whole(least, most):
    """A type for argparse: a whole number of that range."""
    def parse(text):
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text}: wanted is a number, {least}..{most}")
        return value
    return parse


def seconds(text):
    """A type for argparse: a time that is not negative, and ends."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1e7:
        raise argparse.ArgumentTypeError(f"{text}: wanted are seconds, 0..10000000")
    return value


def some_seconds(text):
    """A type for argparse: a time that something can be measured in."""
    value = seconds(text)
    if value < 0.1:
        raise argparse.ArgumentTypeError(f"{text}: wanted are seconds, 0.1..10000000")
    return value


def sizes(text):
    """A type for argparse: frame sizes as rig/traffic/frame.c reads them."""
    numbers = [int(word) for word in re.findall(r"[0-9]+", text)]
    good = re.fullmatch(r"[0-9]+(-[0-9]+|(,[0-9]+)*)", text) and len(numbers) <= SIZES_MOST and \
        all(FRAME_BYTES_LEAST <= number <= FRAME_BYTES_MOST for number in numbers)
    if text != "imix" and not good:
        raise argparse.ArgumentTypeError(
            f"{text}: wanted are {FRAME_BYTES_LEAST}..{FRAME_BYTES_MOST} bytes without CRC, as in "
            "60 or 60,594 or 60-1514, or imix")
    return text


def cards(text):
    """A type for argparse: one card or more, with commas."""
    for card in text.split(","):
        if card not in NICS:
            raise argparse.ArgumentTypeError(f"{card or repr(text)}: wanted is one of "
                                             f"{', '.join(NICS)}, or more with commas")
    return text


def nic_option(parser):
    """--nic of a command."""
    parser.add_argument("--nic", choices=NICS, default="e1000e",
                        help="card of the ports (e1000e); ixgbe: software 82599")


def machine_options(parser, boot, lasts):
    """Options of a command that boots a machine. `lasts`: default and help of --seconds."""
    nic_option(parser)
    parser.add_argument("--boot", choices=BOOTS, default=boot,
                        help=f"way to boot ({boot}); pxe-card: iPXE over an ixgbe test port")
    parser.add_argument("--cores", type=whole(1, CORES_MOST), default=1,
                        help=f"cores of the machine, 1..{CORES_MOST} (1)")
    parser.add_argument("--queues", type=whole(1, 16),
                        help="receive queues a port (the image's default)")
    parser.add_argument("--args", default="",
                        help="boot arguments, \"name=value ...\": docs/boot-args.md")
    parser.add_argument("--seconds", type=seconds, default=lasts["seconds"], help=lasts["help"])


def app_option(parser):
    """The application, l2fwd unless another is named."""
    parser.add_argument("app", nargs="?", choices=sorted(APPS), default=L2FWD.name,
                        help=f"the application ({L2FWD.name})")


def unwritable(path):
    """Why a file cannot be written, tried at once; None when it can."""
    new = not os.path.exists(path)
    try:
        with open(path, "a", encoding="utf-8"):
            pass
    except OSError as error:
        return f"cannot write {path}: {error.strerror}"
    if new:
        os.unlink(path)
    return None


def boot_args_wrong(command, app, text):
    """Why boot arguments that the application takes cannot serve a command; None when they can.
    `app`: None when any may come."""
    for word in text.split():
        if app and word in app.unfit:
            return f"{word}: {app.unfit[word].format(command)}"
        if word == "at_stop=halt":
            return f"{word}: {command} waits until the machine is off"
    return None


def batch_wrong(args):
    """Why boot arguments leave no bursts of BURST frames to count; None when they do."""
    batch = re.findall(r"(?:^|\s)batch=(\S+)", args)
    if batch and batch[-1] != str(BURST):
        return f"batch={batch[-1]}: count says what a packet costs in full bursts of {BURST}"
    return None


def sizes_wrong(sizes, args, app):
    """Why frames of these sizes would not come back from a machine without a fault; None when
    they would."""
    limit = int((re.findall(r"\bframe_max=(\d+)", args) or [app.frame_max])[-1])
    largest = max((int(word) for word in re.findall(r"\d+", sizes)), default=0)
    if largest <= limit:
        return None
    return f"{sizes}: the image takes frames of up to {limit} bytes; add --args " \
           f"\"frame_max={largest}\""


def soak_wrong(options):
    """Why options of soak would say nothing, as they belong to another of its three kinds; None
    when they do not."""
    if options.seeds and options.net:
        return "--seeds and --net: one of them at a time"
    if options.cards and not options.seeds:
        return "--cards: needs --seeds, the simulation that has cards"
    if options.nic != "e1000e" and (options.seeds or options.net):
        return f"--nic {options.nic}: --seeds and --net boot no machine" + \
            ("; --cards simulates ixgbe" if options.seeds else "")
    return None


def wrong(options):
    """What is wrong with options of a command that was parsed; None when nothing is."""
    if options.command in ("run", "soak", "count", "try"):
        app = APPS[options.app] if "app" in options else None
        mistake = boot_args_wrong(options.command, app, options.args)
        if mistake:
            return f"--args {mistake}"
    if options.command == "count" and batch_wrong(options.args):
        return f"--args {batch_wrong(options.args)}"
    if options.command == "run":
        mistake = sizes_wrong(options.sizes, options.args, APPS[options.app])
        if mistake:
            return f"--sizes {mistake}"
    if getattr(options, "boot", None) == "pxe-card" and options.nic != "ixgbe":
        return "--boot pxe-card: needs --nic ixgbe, the card it boots over"
    if options.command == "soak" and soak_wrong(options):
        return soak_wrong(options)
    path = getattr(options, "json", None)
    mistake = unwritable(path) if path else None
    return f"--json: {mistake}" if mistake else None
