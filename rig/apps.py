# SPDX-License-Identifier: BSD-2-Clause
"""The applications that ./millrace drives: what the rig has to know of each.

Whatever is the same for all of them (the boot line, `report`, `stop`, pools, exit codes) is in
measure/image.py.
"""
import dataclasses


def _l2fwd_mode(args):
    """What l2fwd does to addresses, from its boot arguments."""
    values = dict(word.split("=", 1) for word in args.split() if "=" in word)
    mode = values.get("mode", "mac")
    if mode == "mac" and values.get("mac_update") in ("off", "0", "no"):
        return "io"
    return mode


@dataclasses.dataclass(frozen=True)
class App:
    """An application that sends back what it receives, on another port or the same."""
    name: str          # NAME.elf and NAME.img
    ready: str         # pattern of the console: it forwards from here on
    mode: callable     # boot arguments -> what it does to a frame, as rig/traffic/source.h knows it
    frame_max: int     # largest frame that it takes, without CRC, unless its argument says more
    unfit: dict        # words of --args that leave nothing to judge: why
    head: str          # function that a loop calls once for each port it polls
    ports: int         # that a turn polls
    ring_full: str     # prefix of functions that run when a transmit ring took less than was given
    hand_overs: int    # a packet makes: ring to stack, pool to ring, stack to ring, ring to pool


_SILENT = "{} sends frames and judges those that come back"
L2FWD = App(
    name="l2fwd", ready=r"state=forwarding", mode=_l2fwd_mode, frame_max=1514,
    unfit={"mode=rxonly": _SILENT, "mode=txonly": _SILENT},
    head="l2fwd_worker_poll", ports=2, ring_full="send_rest", hand_overs=4)
APPS = {app.name: app for app in (L2FWD,)}
