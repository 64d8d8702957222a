# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench tcp`: a request, a segment, a connection through our stack, lwIP's, Linux's.

Two stacks of a kind in one thread, joined by a link in memory (compare/tcp). Instructions are
counted by callgrind in the measured part only; link, application and harness are taken off by
function. docs/compare.md says how.
"""
import json
import pathlib
import re
import subprocess
import tempfile

from .. import build, setup
from ..measure import callgrind
from ..unpack import SetupError
from . import lwip

TARGETS = ("compare/tcp/tcp_bench", "compare/tcp/tcp_linux", "compare/tcp/tcp_lines")
RUN_S = 900
NS = 500  # of virtual time a request: 2 M requests a second
SEGMENT_BYTES, WANTED_BYTES = 1448, 1460
LINES_TURNS = 40
FIELD = re.compile(r"(\w+)=(\S+)")
CONNS = (1, 64, 1000, 10000, 100000)
QUICK_CONNS = (1, 64)
LWIP_CONNS = (1, 64)
IDLE = 1000000
LIMITS = {"requests": 1400, "lines": 16}


class TcpBenchError(RuntimeError):
    """A program of the bench failed; the message ends with what it said."""


def fields(text, head="result "):
    """{name: value} of the last line that begins so; numbers as float."""
    line = [one for one in text.splitlines() if one.startswith(head)][-1]
    found = {}
    for name, value in FIELD.findall(line):
        try:
            found[name] = float(value)
        except ValueError:
            found[name] = value
    return found


def _run(command, **more):
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True,
                          text=True, timeout=RUN_S, **more)
    if done.returncode != 0 or "result " not in done.stdout:
        raise TcpBenchError(f"{' '.join(map(str, command))} failed ({done.returncode}):\n"
                            f"{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return done.stdout


class Ours:
    """tcp_bench: rows of our stack."""
    name = "ours"

    def __init__(self, folder):
        self.program = folder / TARGETS[0]

    def command(self, mode, conns, count, rounds=1, idle=0):
        """Words that start it."""
        return [self.program, f"mode={mode}", f"conns={conns}", f"all={idle}", f"count={count}",
                f"rounds={rounds}", f"ns={NS}"]

    def share(self, profile, count):
        """callgrind.Share of a unit."""
        return callgrind.split(profile, count, app=("compare/tcp/app.c",),
                               harness=("compare/tcp/main.c", "compare/tcp/count.h"))


class Lwip:
    """lwip_bench: rows of lwIP."""
    name = "lwip"

    def __init__(self, programs):
        self.programs = programs

    def command(self, mode, conns, count, rounds=1, idle=0):
        """Words that start it."""
        assert idle == 0
        return [*self.programs, mode, conns, count, rounds, NS]

    def share(self, profile, count):
        """callgrind.Share of a unit."""
        return callgrind.split(profile, count, app=("lwip/side.c",),
                               harness=("lwip/harness.c", "compare/tcp/count.h"))


def row(stack, mode, conns, options, idle=0):
    """One row: instructions of a run under callgrind, cycles of one without."""
    count = options.count if conns <= 1000 else max(options.count, 3 * conns)
    command = [str(word) for word in stack.command(mode, conns, count, idle=idle)]
    with tempfile.TemporaryDirectory() as folder:
        profile, text = callgrind.run(command, pathlib.Path(folder) / "counts")
    said = fields(text)
    share = stack.share(profile, count)
    timed = fields(_run(stack.command(mode, conns, options.timed, options.rounds, idle)))
    return {"stack": stack.name, "mode": mode, "conns": conns, "all": max(idle, conns),
            "instructions": share.stack, "link": share.link, "app": share.app,
            "harness": share.harness, "parts": share.parts, "packets": said["packets"],
            "cycles_min": timed["cycles_min"], "cycles_median": timed.get("cycles_median"),
            "copied_bytes": said.get("copied_bytes"), "conn_bytes": said.get("conn_bytes"),
            "time_outs": said.get("time_outs"), "version": said.get("version"),
            "hz": timed.get("hz")}


HEAD = (f"  {'':34s}{'instr.':>8s} {'link':>6s} {'app':>6s} {'packets':>8s} "
        f"{'cycles min':>10s} {'median':>8s}")


def line(one):
    """A row as text."""
    what = {"requests": "request", "bulk": "segment of 1448 bytes", "churn": "connection"}
    name = one["stack"] + (f" {one['version']}" if one.get("version") else "")
    of = f", {one['conns']} of {one['all']}" if one["all"] != one["conns"] else \
        f", {one['conns']}" if one["mode"] == "requests" else ""
    text = f"  {name + ': ' + what[one['mode']] + of:34s}"
    if one.get("instructions") is None:
        return f"{text}{'-':>8s} {'-':>6s} {'-':>6s} {'-':>8s} {one['cycles_min']:10.0f}"
    median = f"{one['cycles_median']:8.0f}" if one["cycles_median"] is not None else ""
    return (f"{text}{one['instructions']:8.0f} {one['link']:6.0f} {one['app']:6.0f} "
            f"{one['packets']:8.3f} {one['cycles_min']:10.0f} {median}")


def linux_row(folder, conns, options):
    """Linux over lo, cycles only: its instructions are the kernel's."""
    said = fields(_run([folder / TARGETS[1], conns, min(options.timed, 20000), options.rounds]))
    return {"stack": "Linux lo", "mode": "requests", "conns": conns, "all": conns,
            "cycles_min": said["cycles_min"]}


def lines(folder):
    """Distinct lines of data a request and side, over batches of 32."""
    command = ("valgrind --tool=lackey --trace-mem=yes --log-fd=3 "
               f"{folder / TARGETS[0]} marks=1 conns=128 count=2000 3>&1 2>&3 >/dev/null | "
               f"{folder / TARGETS[2]} {LINES_TURNS}")
    done = subprocess.run(["bash", "-c", command], check=False, capture_output=True, text=True,
                          timeout=RUN_S)
    found = {}
    for text in done.stdout.splitlines():
        one = fields(text, "lines ")
        if one.get("turns") != LINES_TURNS:
            raise TcpBenchError(f"no turns in the trace of memory: {done.stdout}{done.stderr}")
        found[one["side"]] = one["data"] / 32
    if len(found) != 2:
        raise TcpBenchError(f"the trace of memory failed: {done.stdout}{done.stderr}")
    return found


def keys(rows, touched):
    """What --json promises; None: not measured."""
    def pick(stack, mode, conns, name="instructions", idle=None):
        for one in rows:
            if (one["stack"], one["mode"], one["conns"]) == (stack, mode, conns) and \
                    (one["all"] == conns if idle is None else one["all"] == idle):
                return one[name]
        return None

    bulk = {stack: pick(stack, "bulk", 1) for stack in ("ours", "lwip")}
    scaled = {stack: None if value is None else value * WANTED_BYTES / SEGMENT_BYTES
              for stack, value in bulk.items()}
    copied = [one["copied_bytes"] for one in rows if one["stack"] == "ours"]
    churn = pick("ours", "churn", 32, "cycles_min")
    hertz = pick("ours", "churn", 32, "hz")
    return {"ours_instr_1": pick("ours", "requests", 1),
            "ours_instr_100k": pick("ours", "requests", 100000),
            "ours_instr_idle": pick("ours", "requests", 1, idle=IDLE),
            "lwip_instr_1": pick("lwip", "requests", 1),
            "lwip_instr_64": pick("lwip", "requests", 64),
            "ours_payload_bytes_copied": sum(copied),
            "ours_bulk_instr": scaled["ours"], "lwip_bulk_instr": scaled["lwip"],
            "ours_connections_per_s": hertz / churn if churn else None,
            "idle_conn_bytes": pick("ours", "requests", 1, "conn_bytes", idle=IDLE),
            "ours_lines_client": touched.get("client"),
            "ours_lines_server": touched.get("server")}


def judge(found, say):
    """Says what misses its limit; True when nothing does."""
    missed = [f"{name} is {found[name]:.0f}, limit {LIMITS['requests']}"
              for name in ("ours_instr_1", "ours_instr_100k")
              if found[name] is not None and found[name] > LIMITS["requests"]]
    if found["ours_payload_bytes_copied"]:
        missed.append(f"{found['ours_payload_bytes_copied']:.0f} payload bytes were copied")
    if found["lwip_bulk_instr"] and found["ours_bulk_instr"] > found["lwip_bulk_instr"] / 2:
        missed.append("bulk takes more than half of lwIP's instructions")
    missed += [f"{name} is {found[name]:.1f}, limit {LIMITS['lines']}"
               for name in ("ours_lines_client", "ours_lines_server")
               if found[name] is not None and found[name] > LIMITS["lines"]]
    for text in missed:
        say(f"  MISSED: {text}")
    return not missed


def parts(rows, say):
    """Where the instructions of one row of ours are."""
    for one in rows:
        if (one["stack"], one["mode"], one["conns"]) != ("ours", "requests", 64):
            continue
        say("  of a request, 64 connections, both sides:")
        for name, value in sorted(one["parts"].items(), key=lambda item: -item[1]):
            if value >= 1:
                say(f"    {value:8.1f}  {name}")


def _peer(folder, say):
    try:
        return Lwip(lwip.build(folder / "compare" / "tcp" / "lwip", say))
    except SetupError as error:
        say(f"bench: no lwIP: {error}")
        return None


def measure(folder, options, say):
    """All rows, each said as it is there."""
    ours, peer, rows = Ours(folder), _peer(folder, say), []

    def add(one):
        rows.append(one)
        say(line(one))

    say(HEAD)
    for conns in QUICK_CONNS if options.quick else CONNS:
        add(row(ours, "requests", conns, options))
        if peer is not None and conns in LWIP_CONNS:
            add(row(peer, "requests", conns, options))
        if conns <= (1 if options.quick else 1000):
            add(linux_row(folder, conns, options))
    if not options.quick:
        add(row(ours, "requests", 1, options, idle=IDLE))
    add(row(ours, "bulk", 1, options))
    if peer is not None:
        add(row(peer, "bulk", 1, options))
    add(row(ours, "churn", 32, options))
    return rows


def run(options, say):
    """Builds, measures, prints; True when every promise holds that was measured."""
    folder = build.build("build", log=say, targets=TARGETS)
    say(f"bench tcp: both sides together, link and application off; {1e6 / NS:.0f} k requests a "
        f"second of virtual time" + (", quick" if options.quick else ""))
    rows = measure(folder, options, say)
    parts(rows, say)
    touched = {} if options.quick else lines(folder)
    for side, value in touched.items():
        say(f"  {side}: {value:.1f} distinct lines of data a request, batches of 32")
    found = keys(rows, touched)
    for name, value in found.items():
        say(f"  {name} = " + ("-" if value is None else f"{value:.1f}"))
    good = judge(found, say)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps({**found, "rows": rows}, indent=1) + "\n",
                                              encoding="utf-8")
    return good


def main(options, say):
    """Runs the command; 0 when all promises hold."""
    if setup.ensure(("build", "bench"), say):
        build.forget()  # a build without valgrind counts nothing
    options.rounds = 3 if options.quick else options.rounds
    options.count, options.timed = (2000, 10000) if options.quick else (20000, 200000)
    return 0 if run(options, say) else 1
