# SPDX-License-Identifier: BSD-2-Clause
"""Scripts of others, by packetdrill itself, against our stack (tests/packetdrill/adaptor.h).

    PACKETDRILL=.../packetdrill PD_SCRIPTS=.../tcp python3 -m rig.testing.packetdrill

prints what failed and why, and the score of each folder. Neither is part of this tree.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from .. import build

LIBRARY = "tests/packetdrill/libmillrace_packetdrill.so"
LIMIT_S = 20
# What is not TCP but one system's calls: Fast Open, epoll, zero-copy flags, tracing, tunnels of
# options, cards.
OTHERS = {"fastopen", "zerocopy", "eor", "epoll", "tcp_info", "timestamping", "notsent_lowat",
          "splice", "sendfile", "inq", "gro", "md5", "ioctl", "mtu_probe", "syscall_bad_arg"}
# Programs by which scripts set up Linux. It is not under test here: others take their place.
LINUX_PROGRAMS = ("sysctl", "sockstat", "tcpdrop", "ip", "tc", "nstat", "ethtool")


def missing():
    """Why the suite cannot run here; None: it can."""
    for name in ("PACKETDRILL", "PD_SCRIPTS"):
        if not os.path.exists(os.environ.get(name, "")):
            return f"{name} names nothing"
    return None


def scripts():
    """Those that are about TCP, in order."""
    root = pathlib.Path(os.environ["PD_SCRIPTS"])
    return sorted(path for path in root.rglob("*.pkt")
                  if not OTHERS.intersection(path.relative_to(root).parts))


def make_stand_ins(folder):
    """Puts programs there that take the place of Linux's: they change nothing and say yes."""
    for name in LINUX_PROGRAMS:
        path = pathlib.Path(folder) / name
        path.write_text("#!/bin/sh\nexit 0\n")
        path.chmod(0o755)


def run(script, library, stand_ins, flags):
    """Runs one script; None: it passed, else what was said."""
    command = [os.environ["PACKETDRILL"], f"--so_filename={library}", f"--so_flags={flags}",
               "--ip_version=ipv4", "--local_ip=192.168.0.1", "--gateway_ip=192.168.0.2",
               "--remote_ip=192.0.2.1", "--send_omit_free", script.name]
    env = {**os.environ, "LD_PRELOAD": str(library), "PATH": f"{stand_ins}:{os.environ['PATH']}"}
    try:
        ran = subprocess.run(command, cwd=script.parent, env=env, check=False, text=True,
                             capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"no end in {LIMIT_S} s"
    if ran.returncode == 0:
        return None
    lines = (ran.stderr + ran.stdout).strip().split("\n")
    return re.sub(r"^\S*\.pkt:", "line ", lines[0])


def run_both(script, library, stand_ins):
    """Segments of one moment are given as one, as Linux gives them to a card that cuts, or as
    they leave: scripts are written for one or the other."""
    merged = run(script, library, stand_ins, "merge")
    if merged is None or run(script, library, stand_ins, "plain") is None:
        return None
    return merged


def score(library, say):
    """{folder: [(script, None or what was said)]}."""
    found = {}
    with tempfile.TemporaryDirectory() as stand_ins:
        make_stand_ins(stand_ins)
        for script in scripts():
            said = run_both(script, library, stand_ins)
            found.setdefault(script.parent.name, []).append((script.stem, said))
            if said is not None:
                say(f"failed {script.parent.name}/{script.stem}: {said}")
    return found


def main():
    """The command."""
    why = missing()
    if why:
        print(f"packetdrill: skipped: {why}")
        return 0
    folder = build.build("build", print, [LIBRARY])
    found = score(folder / LIBRARY, print)
    for name, results in sorted(found.items()):
        passed = sum(said is None for _, said in results)
        print(f"{name:24} {passed:3} passed, {len(results) - passed} failed")
    every = [said for results in found.values() for _, said in results]
    print(f"{every.count(None)} of {len(every)} passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
