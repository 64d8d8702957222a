# SPDX-License-Identifier: BSD-2-Clause
"""Scripts of others, by packetdrill itself, against our stack (tests/packetdrill/adaptor.h).

    PACKETDRILL=.../packetdrill PD_SCRIPTS=.../tcp python3 -m rig.testing.packetdrill [NAME...]

prints what failed and why, and the score of each folder. Options stand in front: --ipv6; --linux:
the Linux of this machine runs the same scripts, too (as root: each in a network namespace of its
own), and the score has a column for it. Neither packetdrill nor the scripts are part of this tree.
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
LINUX_TRIES = 3  # real time: a busy machine may be late
ALLOWED = "/proc/sys/net/ipv4/tcp_allowed_congestion_control"
ADDRESSES = {"ipv4": ("192.168.0.1", "192.168.0.2", "192.0.2.1"),  # ours, gateway, peer
             "ipv6": ("2001:db8::2", "2001:db8::3", "2001:db8::1")}
# What is not TCP but one system's calls: Fast Open, epoll, zero-copy flags, tracing, tunnels of
# options, cards.
OTHERS = {"fastopen", "zerocopy", "eor", "epoll", "tcp_info", "timestamping", "notsent_lowat",
          "splice", "sendfile", "inq", "gro", "md5", "ioctl", "mtu_probe", "syscall_bad_arg"}
# Programs by which scripts set up Linux. It is not under test here: others take their place.
# sysctl's leaves each setting in a file, for the stack to be set as the script wants it.
YES = "#!/bin/sh\nexit 0\n"
SYSCTL = """#!/bin/sh
for word; do
    case $word in
    -*) ;;
    *=*) name=${word%%=*}; echo "${word#*=}" > "$MILLRACE_PD_SETTINGS/${name##*[./]}" ;;
    esac
done
"""
STAND_INS = {"sysctl": SYSCTL,
             **dict.fromkeys(("sockstat", "tcpdrop", "ip", "tc", "nstat", "ethtool"), YES)}
# Where Linux keeps settings: those that a script reads and writes itself are looked for in our
# folder.
SETTING_FILE = re.compile(r"(?:/proc/sys/net/ipv4|/sys/module/tcp_cubic/parameters)/(\w+)")
PACKET = re.compile(r"^[^/\n]*?> *(?:\[\w+\] *)?([FSRPEUWA.]+) +(\d+):(\d+)\((\d+)\)", re.M)


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


def name_of(script):
    """As scripts are called here: FOLDER/NAME."""
    return f"{script.parent.name}/{script.stem}"


def make_stand_ins(folder):
    """Puts programs there that take the place of Linux's."""
    for name, text in STAND_INS.items():
        path = pathlib.Path(folder) / name
        path.write_text(text)
        path.chmod(0o755)


def cuts(text):
    """The packets with data that a script names, as the adaptor wants them: where each begins and
    ends, and whether it has PSH."""
    return " ".join(f"{first}:{end}:{int('P' in flags)}"
                    for flags, first, end, length in PACKET.findall(text) if length != "0")


def with_settings(text, folder):
    """The script with its settings in our folder."""
    for name in SETTING_FILE.findall(text):
        (pathlib.Path(folder) / name).touch()
    return SETTING_FILE.sub(lambda found: f"{folder}/{found[1]}", text)


def run_command(command, script, env):
    """None: it passed, else what was said."""
    try:
        ran = subprocess.run(command, cwd=script.parent, env=env, check=False, text=True,
                             capture_output=True, timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"no end in {LIMIT_S} s"
    if ran.returncode == 0:
        return None
    lines = (ran.stderr + ran.stdout).strip().split("\n")
    asserted = [line for line in lines if "AssertionError" in line]
    return re.sub(r"^\S*\.pkt:", "line ", (asserted or lines)[-1 if asserted else 0])


def run(script, library, stand_ins, family="ipv4"):
    """Runs one script against our stack; None: it passed, else what was said."""
    text = script.read_text()
    own, gateway, peer = ADDRESSES[family]
    with tempfile.TemporaryDirectory() as settings:
        ours = pathlib.Path(settings) / script.name
        ours.write_text(with_settings(text, settings))
        env = {**os.environ, "LD_PRELOAD": str(library), "MILLRACE_PD_SETTINGS": settings,
               "MILLRACE_PD_CUTS": cuts(text), "PATH": f"{stand_ins}:{os.environ['PATH']}"}
        return run_command(
            [os.environ["PACKETDRILL"], f"--so_filename={library}", f"--so_flags={family}",
             f"--ip_version={family}", f"--local_ip={own}", f"--gateway_ip={gateway}",
             f"--remote_ip={peer}", "--send_omit_free", str(ours)], script, env)


def run_linux(script, family="ipv4"):
    """Runs one script against the Linux of this machine, some times: its time is real."""
    said = None
    for _ in range(LINUX_TRIES):
        said = run_command(["unshare", "--net", os.environ["PACKETDRILL"],
                            f"--ip_version={family}", script.name], script, os.environ)
        if said is None:
            break
    return said


def score(library, say, names=(), linux=False, family="ipv4"):
    """{folder: [(what was said of ours, of Linux)]}; None: passed."""
    found = {}
    with tempfile.TemporaryDirectory() as stand_ins:
        make_stand_ins(stand_ins)
        for script in scripts():
            name = name_of(script)
            if names and name not in names:
                continue
            ours = run(script, library, stand_ins, family)
            theirs = run_linux(script, family) if linux else None
            found.setdefault(script.parent.name, []).append((ours, theirs))
            if ours is not None:
                say(f"failed {name}: {ours}")
            if theirs is not None:
                say(f"failed {name}: Linux: {theirs}")
    return found


def linux_notes():
    """What of Linux cannot be as scripts want it here."""
    if "cubic" not in pathlib.Path(ALLOWED).read_text().split():
        yield f"Linux will not use cubic in a namespace: it is not named in {ALLOWED}"


def passed(results, which):
    """How many."""
    return sum(result[which] is None for result in results)


def main():
    """The command."""
    options = [word for word in sys.argv[1:] if word in ("--linux", "--ipv6")]
    names = sys.argv[1 + len(options):]
    linux = "--linux" in options
    why = missing()
    if why:
        print(f"packetdrill: skipped: {why}")
        return 0
    for note in linux_notes() if linux else ():
        print(f"packetdrill: {note}")
    folder = build.build("build", print, [LIBRARY])
    family = "ipv6" if "--ipv6" in options else "ipv4"
    found = score(folder / LIBRARY, print, names, linux, family)
    every = [result for results in found.values() for result in results]
    for name, results in [*sorted(found.items()), ("all", every)]:
        theirs = f", Linux {passed(results, 1):3}" if linux else ""
        print(f"{name:24} {passed(results, 0):3} of {len(results):3} passed{theirs}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
