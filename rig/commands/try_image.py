# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace try NAME.elf`: boots any application on the kit in QEMU, sends it frames and prints
what it counted."""
import pathlib
import re
import socket
import struct
import time

from .. import setup
from ..machine.qemu import Machine

# EtherType, and how many frames of it `try` sends
FRAMES = ((0x0800, 400), (0x86DD, 300), (0x0806, 200), (0x8100, 100))
BOOT_S, COUNT_S, STOP_S = 30, 20, 20


def plug(path):
    """The cable into a port of a machine. QEMU ends when it is pulled: hold it until the stop."""
    wire = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    wire.connect(path)
    return wire


def send(wire, kinds=FRAMES):
    """Sends frames of 60 bytes; returns how many."""
    for kind, frames in kinds:
        frame = b"\2\0\0\0\0\1" + b"\2\0\0\0\0\2" + struct.pack(">H", kind) + bytes(46)
        wire.sendall((struct.pack(">I", len(frame)) + frame) * frames)
    return sum(frames for _, frames in kinds)


def stats(machine, pattern, timeout_s):
    """Asks for the table of counters until a line has the pattern; returns its lines."""
    deadline = time.monotonic() + timeout_s * machine.want.patience
    while True:
        mark = machine.console.mark()
        machine.console.send("stats")
        machine.console.wait_for(r"^stat core=0 state", 5, since=mark)
        lines = [line for line in machine.console.lines[mark:] if line.startswith("stat ")]
        if any(re.search(pattern, line) for line in lines):
            return lines
        if time.monotonic() > deadline:
            raise TimeoutError(f"no line with {pattern!r} in: " + "; ".join(lines))
        time.sleep(0.1)


def try_image(image, args, say):
    """Boots the image with one port, sends frames, prints its counters; returns the status."""
    with Machine(image, args=args, ports=1) as machine:
        machine.console.wait_for(r"state=(running|forwarding) boot_us", BOOT_S)
        stats(machine, r"port=0 link=up", COUNT_S)
        with plug(machine.port_path(0)) as wire:
            count = send(wire)
            for line in stats(machine, rf"port=0 .*rx_packets={count}\b", COUNT_S):
                if line.startswith("stat port="):
                    say(line)
            machine.console.send("stop")
            code = machine.wait_exit_code(STOP_S)
    name = pathlib.Path(image).stem
    if code != 0:
        say(f"{name} ended with code {code}")
        return 1
    say(f"{name} ended with code 0: every buffer came home")
    return 0


def add_parser(commands):
    one = commands.add_parser("try", help="boot any application in QEMU, send it some frames")
    one.add_argument("image", metavar="NAME.elf")
    one.add_argument("--args", default="", help="boot arguments: docs/boot-args.md")


def main(options, say):
    """Returns the exit status."""
    setup.ensure(("run",), say)
    return try_image(options.image, options.args, say)
