# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace try NAME.elf`: boots any application on the kit in QEMU, sends it frames, types
commands, and prints what it counted and what came back."""
import contextlib
import itertools
import pathlib
import re
import time

from .. import build, setup
from ..machine.console import ConsoleTimeout
from ..machine.qemu import Machine
from ..machine.wire import Wire, frame
from ..measure.image import REPORT_LINE, RunError, image_error, stop_machine
from ..options import CORES_MOST, FRAME_BYTES_LEAST, FRAME_BYTES_MOST, nic_option, whole

# EtherType, its name, and how many of ten frames are of it
KINDS = ((0x0800, "ipv4", 4), (0x86DD, "ipv6", 3), (0x0806, "arp", 2), (0x8100, "vlan", 1))
BOOT_S, COUNT_S, BACK_S = 30, 20, 5
CARDS = "model/millrace-nic82599"
HEADS = (b"\x7fELF", b"MZ")  # of NAME.elf and NAME.img


def frames_of(count, sizes=(FRAME_BYTES_LEAST,)):
    """`count` frames: the kinds in turn, each block of ten of the next size."""
    ten = [kind for kind, _, share in KINDS for _ in range(share)]
    blocks = itertools.islice(itertools.cycle(sizes), -(-count // 10))
    return [frame(kind, size, 10 * block + at) for block, size in enumerate(blocks)
            for at, kind in enumerate(ten)][:count]


def what_is_sent(frames):
    """The line that says it."""
    kinds = [(name, sum(one[12:14] == kind.to_bytes(2, "big") for one in frames))
             for kind, name, _ in KINDS]
    sizes = sorted({len(one) for one in frames})
    return f"sent port=0 frames={len(frames)} bytes_each=" + ",".join(map(str, sizes)) + \
        "".join(f" {name}={number}" for name, number in kinds)


def behind_all(machine, since, reports=1):
    """Position behind all that commands have said since: they are done in order, and a report, one
    line, is asked for behind them. `reports`: with those that were asked for before."""
    machine.console.send("report")
    for _ in range(reports):
        machine.console.wait_for(REPORT_LINE, COUNT_S, since=since)
        lines = machine.console.lines
        since = 1 + next(at for at in range(since, len(lines)) if re.match(REPORT_LINE, lines[at]))
    return since


def typed(machine, command):
    """Types a command; returns the lines of its answer."""
    begin = behind_all(machine, machine.console.mark())
    machine.console.send(command)
    end = behind_all(machine, begin, 2 if command == "report" else 1)
    return machine.console.lines[begin:end - 1]


def stats(machine, pattern, timeout_s):
    """Asks for the table of counters until a line has the pattern; returns its lines."""
    deadline = time.monotonic() + timeout_s * machine.want.patience
    while True:
        mark = machine.console.mark()
        machine.console.send("stats")
        machine.console.wait_for(r"^stat core=0 state", COUNT_S, since=mark)
        lines = [line for line in machine.console.lines[mark:] if line.startswith("stat ")]
        if any(re.search(pattern, line) for line in lines):
            return lines
        if time.monotonic() > deadline:
            raise RunError(f"no line with {pattern!r} in: " + "; ".join(lines))
        time.sleep(0.1)


def boot(machine):
    """Waits until the loops run. RunError has the image's own words when they do not."""
    try:
        machine.console.wait_for(r"state=\w+ boot_us=", BOOT_S)
    except ConsoleTimeout as error:
        lines = machine.console.lines
        begin = next((at for at, line in enumerate(lines) if line.startswith("boot cmdline")), 0)
        said = "\n".join(lines[begin + 1:]) if machine.console.find(r"^exit code=0") else ""
        raise RunError(image_error(machine.console) or said or str(error)) from error


def let_come_back(wires, lines):
    """Waits until what the image says it sent has arrived."""
    sent = sum(int(number) for line in lines
               for number in re.findall(r"^stat port=.* tx_packets=(\d+)", line))
    deadline = time.monotonic() + BACK_S
    while sum(wire.came_back for wire in wires) < sent and time.monotonic() < deadline:
        time.sleep(0.02)


def drive(machine, wires, options, say):
    """Frames, counters, commands; until the stop."""
    frames = frames_of(options.frames, options.sizes)
    wires[0].send(frames)
    say(what_is_sent(frames))
    lines = stats(machine, rf"port=0 .*rx_packets={len(frames)}\b", COUNT_S)
    let_come_back(wires, lines)
    for line in lines:
        if line.startswith("stat port="):
            say(line)
    for port, wire in enumerate(wires):
        say(f"came out port={port} frames={wire.came_back}")
    for command in options.type:
        say(f"> {command}")
        for line in typed(machine, command):
            say(line)


def try_image(options, say):
    """Boots the image, sends frames, prints its counters; returns the status."""
    name = pathlib.Path(options.image).stem
    cards = str(build.ROOT / "build" / CARDS) if options.nic == "ixgbe" else None
    with Machine(options.image, args=options.args, ports=options.ports, nic=options.nic,
                 cores=options.cores, cards=cards) as machine, contextlib.ExitStack() as plugged:
        boot(machine)
        for port in range(options.ports):
            stats(machine, rf"port={port} link=up", COUNT_S)
        wires = [plugged.enter_context(Wire(machine.port_path(port)))
                 for port in range(options.ports)]
        drive(machine, wires, options, say)
        report, pools, code = stop_machine(machine)
        refused = [line for line in machine.console.lines if " refused=" in line]
    return verdict(name, report, pools, refused, code, say)


def verdict(name, report, pools, refused, code, say):
    """Says how it ended; returns the status."""
    refusals = report["owner_refusals"]
    for line in (refused if refusals else []) + (pools if code else []):
        say(line)
    if refusals:
        say(f"{name}: {refusals} times a buffer was handed over by who did not own it: freed or "
            "sent twice?")
    if code != 0:
        say(f"{name} ended with code {code}")
    elif not refusals:
        say(f"{name} ended with code 0: every buffer came home")
    return 1 if code or refusals else 0


def image_wrong(path):
    """Why a file cannot be booted; None when it can."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError as error:
        return f"{path}: {error.strerror}"
    return None if head.startswith(HEADS) else \
        f"{path}: no image; wanted is NAME.elf or NAME.img as ninja made it"


def some_sizes(text):
    """A type for argparse: frame sizes with commas."""
    return [whole(FRAME_BYTES_LEAST, FRAME_BYTES_MOST)(word) for word in text.split(",")]


def add_parser(commands):
    one = commands.add_parser("try", help="boot any application in QEMU, send it some frames")
    one.add_argument("image", metavar="NAME.elf")
    one.add_argument("--args", default="", help="boot arguments: docs/boot-args.md")
    one.add_argument("--frames", type=whole(1, 100000), default=1000,
                     help="frames for port 0: of ten are 4 IPv4 (UDP), 3 IPv6, 2 ARP, 1 ARP "
                          "with a VLAN tag (1000)")
    one.add_argument("--sizes", type=some_sizes, default=[FRAME_BYTES_LEAST],
                     help="bytes of the frames, without CRC: 60,594,1514 changes every ten (60)")
    one.add_argument("--type", action="append", default=[], metavar="COMMAND",
                     help="type this on its console behind the frames, print what it answers; "
                          "may be repeated (\"help\" lists the commands)")
    one.add_argument("--ports", type=whole(1, 4), default=1, help="network ports (1)")
    one.add_argument("--cores", type=whole(1, CORES_MOST), default=1, help="cores (1)")
    nic_option(one)


def main(options, say):
    """Returns the exit status."""
    why = image_wrong(options.image)
    if why:
        say(f"try: {why}")
        return 2
    setup.ensure_machine((options.nic,), say)
    if options.nic == "ixgbe":
        build.build("build", say, (CARDS,))
    return try_image(options, say)
