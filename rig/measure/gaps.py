# SPDX-License-Identifier: BSD-2-Clause
"""Who stole a polling core's time: our loop's own histogram beside a Linux thread that only
reads the clock, pinned to a core of its own as testpmd's is. One after the other, both idle."""
import json
import os
import re
import tempfile
import time

from .. import build
from ..machine import guest
from ..machine.qemu import Machine
from .image import read_report

SECONDS = 3
CORES, MEMORY_MIB = 2, 512
BOOT_S = 180
LONG_US = 128  # a bucket's edge
APPEND = "console=ttyS0 quiet panic=-1 mitigations=off isolcpus=1 nohz_full=1"
LINE = r"^gaps (\{.*\})"


def figures(below_us, seconds):
    """What is compared. `below_us`: bucket i counts gaps below 2**i us."""
    first = LONG_US.bit_length()  # the first bucket of gaps that are LONG_US or more
    return {"below_us": below_us, "longest_below_us": 1 << max(len(below_us) - 1, 0),
            "long_per_s": round(sum(below_us[first:]) / seconds, 1)}


def minus(after, before):
    """Difference of two histograms, without empty buckets at the end."""
    out = [n - (before[i] if i < len(before) else 0) for i, n in enumerate(after)]
    while out and out[-1] == 0:
        out.pop()
    return out


def ours(app, build_dir, seconds=SECONDS):
    """The image with one polling core and two ports on which nothing comes."""
    with Machine(build.find_image(build_dir, app.name), args="cores=1 poll=always", cores=CORES,
                 memory_mib=MEMORY_MIB) as machine:
        machine.console.wait_for(app.ready, BOOT_S)
        time.sleep(1)
        before = read_report(machine)["cores"][0]
        time.sleep(seconds)
        after = read_report(machine)["cores"][0]
    passed_s = (after["elapsed_us"] - before["elapsed_us"]) / 1e6
    return figures(minus(after["gaps"]["below_us"], before["gaps"]["below_us"]), passed_s)


def linux(build_dir, seconds=SECONDS):
    """Debian's kernel with the second core set aside: the program runs there, then it powers off.
    Raises guest.GuestError."""
    kernel = guest.kernel()
    program = os.path.join(build_dir, "compare", "dpdk", "guest", "gaps")
    with tempfile.TemporaryDirectory(prefix="millrace-gaps-") as folder:
        initrd = os.path.join(folder, "initrd")
        guest.initramfs(initrd, kernel, f"/bin/gaps 1 {seconds}", files={"bin/gaps": program})
        with Machine(kernel.image, instead=guest.boot_by(kernel, initrd, APPEND), ports=0,
                     cores=CORES, memory_mib=MEMORY_MIB) as machine:
            line = machine.console.wait_for(LINE, BOOT_S + seconds)
    return figures(json.loads(re.search(LINE, line.group(0)).group(1))["below_us"], seconds)


def rows(result):
    """Rows of compare's table: (what, ours, Linux, ratio)."""
    a, b = result["ours"]["gaps"], result["dpdk"]["gaps"]
    return [(f"polling core: gaps of {LONG_US} us or more", f"{a['long_per_s']:g} /s",
             f"{b['long_per_s']:g} /s", "-"),
            ("  longest gap", f"< {a['longest_below_us']} us", f"< {b['longest_below_us']} us",
             "-")]
