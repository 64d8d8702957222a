# SPDX-License-Identifier: BSD-2-Clause
"""Instructions a packet of both sides, from the turns of their loops."""
import os
import time

from . import count
from .sides import APP, NAMES, CompareError, Side

FLOOD_PPS = 1500000


def count_side(kind, build_dir):
    """{full, one, empty, per_packet, average, batch} of one side: whole turns, frames one way."""
    path = os.path.join(build_dir, "rig", f"compare-{os.getpid()}")
    side = None
    try:
        side = Side(kind, build_dir / "rig" / "traffic",
                    f"{count.plugin_path(build_dir, kind.nic)},counts={path}")
        counts, traffic = count.Counts(path), side.traffic
        traffic.run(FLOOD_PPS, open_loop=True, seconds=1.0)  # every block is translated
        counts.set_head(kind.head(side.machine, counts,
                                  lambda: traffic.run(FLOOD_PPS, open_loop=True, seconds=0.5)),
                        APP.ports)
        time.sleep(0.5)

        def during(action):
            first = counts.snapshot()
            answer = action()
            return counts.snapshot() - first, answer
        idle, _ = during(lambda: time.sleep(0.5))
        single, trickle = during(lambda: traffic.run(2000, seconds=0.7, lanes="0>1"))
        busy, answer = during(lambda: traffic.run(FLOOD_PPS, open_loop=True, seconds=1.5,
                                                  lanes="0>1", window=count.WINDOW))
        kind.check_busy(side.machine, busy)
        counts.close()
    finally:
        if side:
            side.close()
        if os.path.exists(path):
            os.unlink(path)
    if not idle.iterations or not answer["received"]:
        raise CompareError(f"{NAMES[kind.name]}: no iteration was counted")
    found = of_turns(idle.iterations, (single.iterations, trickle["received"]),
                     (busy.iterations, answer["received"]))
    return {"per_packet": kind.per_packet(found), **found}


def of_turns(idle, single, busy):
    """What turns of three runs tell; `single`, `busy`: (iterations, packets)."""
    usual = [insns for insns, times in idle.items() if times > sum(idle.values()) / 100]
    empty = count.mode_of(idle)
    # After a gap our loop clocks its sources for a while: such an empty turn is no packet, either.
    one = count.mode_of(single[0], low=max(max(usual) + 1, 2 * empty))
    iterations, packets = busy
    found = {insns: times for insns, times in iterations.items() if insns >= one}
    return {"per_packet_mean": round(count.at_full_bursts(one, single, busy), 1),
            "full": count.mode_of(iterations, low=4 * one), "one": one,
            "empty": empty / APP.ports,
            "average": round(sum(i * n for i, n in found.items()) / packets, 1),
            "batch": round(packets / max(sum(found.values()), 1), 1)}
