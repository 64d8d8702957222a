# SPDX-License-Identifier: BSD-2-Clause
"""What a segment of 1448 bytes costs its sender, by where its bytes lie (docs/tcp.md).

    python3 -m rig.measure.shapes

Instructions by callgrind: the stack and the application, without link and receiver.
"""
import re
import subprocess
import sys

from .. import build

TARGET = "compare/tcp/tcp_shapes"
SHAPES = ("in-place", "copied", "no-headroom", "pinned", "line", "file")
COUNT = 5000
RUN_S = 300
RESULT = re.compile(r'segments=(\d+) copied_bytes=(\d+) what="([^"]*)"')
COLLECTED = re.compile(r"Collected : (\d+)")


def measure(program, shape):
    """(instructions a segment, payload bytes that the stack copied, what the shape is)."""
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", "--collect-atstart=no", "--instr-atstart=no",
         "--callgrind-out-file=/dev/null", str(program), shape, str(COUNT)],
        check=False, capture_output=True, text=True, timeout=RUN_S)
    said, counted = RESULT.search(done.stdout), COLLECTED.search(done.stderr)
    if done.returncode != 0 or said is None or counted is None:
        raise RuntimeError(f"{program} {shape} failed ({done.returncode}):\n"
                           f"{done.stdout}{done.stderr}")
    return int(counted.group(1)) / int(said.group(1)), int(said.group(2)), said.group(3)


def main():
    """The command."""
    program = build.build("build", print, [TARGET]) / TARGET
    for shape in SHAPES:
        instructions, copied, what = measure(program, shape)
        print(f"{shape:12s} {instructions:7.0f} instructions, {copied} bytes copied: {what}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
