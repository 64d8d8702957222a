# SPDX-License-Identifier: BSD-2-Clause
"""A running image, whatever its application: when it is ready, what it says, how it stops."""
import json
import re
import time

from .generator import BOTH_WAYS, WINDOW, ProbeLost

# Guards: firmware on a full host takes ten times as long as on an idle one.
BOOT_TIMEOUT_S = {"direct": 60, "linux": 60, "uefi": 180, "pxe-bios": 180, "pxe-uefi": 300,
                  "pxe-card": 180}
REPORT_TIMEOUT_S = 10
STOP_TIMEOUT_S = 15
PROBE_ROUND_S = 0.5  # then a look at the console
SILENCE_S = 5        # a machine that forwards has answered a probe by then
ERROR_LINES = r"^argument mistake|^panic |(?:^|\s)error=\S"
REPORT_LINE = r"^report (\{.*\})"


class RunError(RuntimeError):
    """The run could not be made; the message says what the machine did last."""


def image_args(args, boot, queues=None, nic="e1000e"):
    """Boot arguments: the user's, and what the rig needs. A network boot by firmware has a third
    port, for itself, which the image leaves alone. Software cards send from a process of their
    own, which may be kept waiting for its turn: their rings hold all that can be in flight."""
    words = args.split()
    names = {word.split("=", 1)[0] for word in words}
    if boot in ("pxe-bios", "pxe-uefi") and "ports" not in names:
        words.append("ports=3")
    if nic == "ixgbe" and "tx_descs" not in names:
        words.append(f"tx_descs={WINDOW}")
    if queues and "queues" not in names:
        words.append(f"queues={queues}")
    return " ".join(words)


def image_error(console):
    """The image's own words on why it does not run: its first lines of error, else ""."""
    found = [line for line in console.lines if re.search(ERROR_LINES, line)]
    return "\n".join(found[:3])


def image_base(machine, timeout_s):
    """Address where the image lies, which its boot line says."""
    line = machine.console.wait_for(r"^boot .*image_base=(0x[0-9a-f]+)", timeout_s)
    return int(line.group(1), 16)


def read_report(machine, timeout_s=REPORT_TIMEOUT_S):
    """Asks the image for its counters."""
    mark = machine.console.mark()
    machine.console.send("report")
    line = machine.console.wait_for(REPORT_LINE, timeout_s, since=mark)
    return json.loads(line.group(1))


def packets_of(report):
    return sum(core["packets"] for core in report["cores"])


def set_live(machine, values):
    """Changes live arguments; returns when the console took them, RuntimeError when it did not."""
    mark = machine.console.mark()
    for name, value in values.items():
        machine.console.send(f"set {name}={value}")
    read_report(machine)  # commands are done in order: an answer means the others were taken
    wrong = [text for text in machine.console.lines[mark:]
             if text.startswith("arg ") and "mistake=" in text]
    if wrong:
        raise RuntimeError(wrong[0])


def first_frame(app, machine, traffic, lane, timeout_s):
    """Probes a lane until a frame comes back; RunError at once when the image has given up."""
    deadline = time.monotonic() + timeout_s
    silent_from = None
    while True:
        try:
            return traffic.probe(timeout_s=PROBE_ROUND_S, lanes=lane, flows=1)
        except ProbeLost as lost:
            forwards = machine.console.find(app.ready)
            silent_from = silent_from or (forwards and time.monotonic())
            ended = machine.console.find(r"^exit code=|^panic ") or not machine.alive()
            if ended:
                raise RunError(image_error(machine.console) or "the machine ended") from lost
            if forwards and time.monotonic() - silent_from > SILENCE_S:
                raise RunError(f"the image forwards, but no frame sent on lane {lane} came back: "
                               "does --args or --sizes leave a port out, or forbid the frames?"
                               ) from lost
            if time.monotonic() > deadline:
                raise RunError(image_error(machine.console) or f"no frame came back in "
                               f"{timeout_s:.0f} s, and the image does not say why") from lost


def start_forwarding(app, machine, traffic, timeout_s):
    """Waits until the image forwards; returns (host seconds from power-on to the first frame
    that came back, the first line of the image)."""
    boot = machine.console.wait_for(r"^boot .*", timeout_s)
    first, *others = BOTH_WAYS.split(",")
    answer = first_frame(app, machine, traffic, first, timeout_s)
    for lane in others:
        first_frame(app, machine, traffic, lane, timeout_s)
    machine.console.wait_for(app.ready, timeout_s)
    return answer["first_received_ns"] / 1e9 - machine.started_at, boot.group(0)


def stop_machine(machine):
    """Stops the image; returns (last report, lines of pools, exit code)."""
    mark = machine.console.mark()
    machine.console.send("stop")
    line = machine.console.wait_for(REPORT_LINE, STOP_TIMEOUT_S, since=mark)
    machine.console.wait_for(r"exit code=", STOP_TIMEOUT_S, since=mark)
    code = machine.wait_exit_code(STOP_TIMEOUT_S)
    pools = [text for text in machine.console.lines[mark:] if text.startswith("pool ")]
    return json.loads(line.group(1)), pools, code


def pools_full(pools):
    """Every pool has all of its buffers back (and there are pools)."""
    counts = [dict(word.split("=", 1) for word in line.split() if "=" in word)
              for line in pools]
    return bool(counts) and all(c["free"] == c["total"] and c["missing"] == "0"
                                for c in counts)
