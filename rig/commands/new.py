# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace new DIR`: an application outside this tree. `./millrace try IMAGE`: boots any
application in QEMU, sends it frames and prints what it counted."""
import pathlib
import re
import socket
import struct
import time

from .. import setup
from ..build import ROOT
from ..machine.qemu import Machine

MESON_BUILD = """\
# {name}: an application on millrace. subprojects/millrace is the clone that made this folder.
project('{name}', 'c',
  default_options: ['c_std=gnu17', 'warning_level=2', 'buildtype=release', 'optimization=2',
                    'debug=true', 'b_staticpic=false', 'b_pie=false'])
millrace = subproject('millrace', default_options: ['werror=false'])
sources = files('main.c')

# {name}.elf (qemu -kernel, gdb) and {name}.img (iPXE, GRUB, UEFI firmware).
linked = executable('{name}.link.elf', sources,
  dependencies: millrace.get_variable('image_dep'))
custom_target('{name}-image', input: linked, output: ['{name}.elf', '{name}.img'],
  command: millrace.get_variable('image_finish'), build_by_default: true)

# The same as a Linux process.
executable('{name}', sources, dependencies: millrace.get_variable('process_dep'))
"""
NEXT = """\
made {folder}:
  main.c                 counts the frames that arrive by EtherType; change it
  meson.build            makes {name}.elf, {name}.img and {name}, a Linux process
  subprojects/millrace   a link to {root}
next:
  cd {folder}
  meson setup build
  ninja -C build
  {root}/millrace try build/{name}.elf
main.c is explained in {root}/docs/tutorial.md"""

EXAMPLE = ROOT / "apps" / "ethertypes" / "main.c"
# EtherType, and how many frames of it `try` sends
FRAMES = ((0x0800, 400), (0x86DD, 300), (0x0806, 200), (0x8100, 100))
BOOT_S, COUNT_S, STOP_S = 30, 20, 20


def new(folder, say):
    """Writes the folder; returns the exit status."""
    folder = pathlib.Path(folder).expanduser().absolute()
    name = folder.name
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in ("millrace", "subprojects"):
        say(f"new: {name!r} becomes the name of a program: small letters, digits and _ only")
        return 2
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        say(f"new: {folder} is there already and is not an empty folder")
        return 2
    (folder / "subprojects").mkdir(parents=True)
    (folder / "subprojects" / "millrace").symlink_to(ROOT)
    (folder / "main.c").write_text(EXAMPLE.read_text().replace("ethertypes", name))
    (folder / "meson.build").write_text(MESON_BUILD.format(name=name))
    say(NEXT.format(folder=folder, name=name, root=ROOT))
    return 0


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
    deadline = time.monotonic() + timeout_s * machine.patience
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
    one = commands.add_parser("new", help="begin an application of your own, outside this tree")
    one.add_argument("folder", metavar="DIR", help="its folder; the last part is its name")
    one = commands.add_parser("try", help="boot any application in QEMU, send it some frames")
    one.add_argument("image", metavar="NAME.elf")
    one.add_argument("--args", default="", help="boot arguments: docs/boot-args.md")


def main(options, say):
    """Returns the exit status of `new` or `try`."""
    setup.ensure(("build", "run"), say)
    if options.command == "new":
        return new(options.folder, say)
    return try_image(options.image, options.args, say)
