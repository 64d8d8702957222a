# SPDX-License-Identifier: BSD-2-Clause
"""Instructions by function and by file, from what valgrind's callgrind wrote.

Run with --compress-strings=no --compress-pos=no. A line of code that was put in line of another
file counts for that file and for the function that it stands in.
"""
import collections
import dataclasses
import os
import pathlib
import subprocess

from ..build import ROOT

LIMIT_S = 1800
OPTIONS = ("--tool=callgrind", "--collect-atstart=no", "--instr-atstart=no",
           "--compress-strings=no", "--compress-pos=no")


class CountError(RuntimeError):
    """The program under valgrind failed; the message ends with what it said."""


@dataclasses.dataclass
class Profile:
    """self: {(function's file, function, file of the line): instructions}; calls: {(caller's file,
    caller, callee): instructions with all below}."""
    self: collections.Counter
    calls: collections.Counter

    @property
    def total(self):
        """All instructions."""
        return sum(self.self.values())


def read(text):
    """A Profile of the text of a callgrind file."""
    own, calls = collections.Counter(), collections.Counter()
    home = function = place = callee = None
    called = False
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "fl":
            home = place = value
        elif name in ("fi", "fe"):
            place = value
        elif name == "fn":
            function, place = value, home
        elif name == "cfn":
            callee = value
        elif name == "calls":
            called = True
        elif line[:1].isdigit():
            cost = int(line.split()[-1])
            if called:
                calls[home, function, callee] += cost
            else:
                own[home, function, place] += cost
            called = False
    return Profile(own, calls)


def run(command, out):
    """Runs a program that says itself where counting begins; (Profile, what it printed)."""
    out = pathlib.Path(out)
    done = subprocess.run(["valgrind", *OPTIONS, f"--callgrind-out-file={out}", *command],
                          check=False, capture_output=True, text=True, timeout=LIMIT_S)
    if done.returncode != 0 or not out.exists():
        raise CountError(f"{' '.join(map(str, command))} under valgrind failed "
                         f"({done.returncode}):\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    profile = read(out.read_text(encoding="utf-8"))
    if profile.total == 0:
        raise CountError(f"{command[0]} counted nothing: it was built where valgrind was not "
                         "installed, or never said where counting begins")
    return profile, done.stdout


@dataclasses.dataclass
class Share:
    """Instructions of one unit (a request, a segment)."""
    stack: float
    link: float
    app: float
    harness: float
    parts: dict  # {file of the stack: instructions}


def split(profile, units, app, harness):
    """Takes the link (functions link_*, with all below), the application and the harness (files
    whose names end so) off; what is left is the stack's."""
    def inside(path, names):
        return path is not None and path.endswith(names)

    link = sum(cost for (_, caller, callee), cost in profile.calls.items()
               if callee.startswith("link_") and not caller.startswith("link_"))
    own = collections.Counter()
    for (home, function, place), cost in profile.self.items():
        if function.startswith("link_"):
            continue
        if inside(home, harness) and inside(place, harness):
            own["harness"] += cost
        elif inside(home, app) and (inside(place, app) or "/bits/" in place):
            own["app"] += cost
    own["app"] += sum(cost for (home, caller, callee), cost in profile.calls.items()
                      if inside(home, app) and callee.lstrip("_").startswith("mem") and
                      not caller.startswith("link_"))
    stack = profile.total - link - own["app"] - own["harness"]
    parts = collections.Counter()
    for (home, function, place), cost in profile.self.items():
        room = os.path.relpath(os.path.normpath(place), ROOT)
        if room.startswith(("tcp/", "rt/")) and not function.startswith("link_"):
            parts[room] += cost / units
    parts["pools, C library"] = stack / units - sum(parts.values())
    return Share(stack / units, link / units, own["app"] / units, own["harness"] / units,
                 dict(parts))
