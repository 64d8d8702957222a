# SPDX-License-Identifier: BSD-2-Clause
"""Exact instruction counts of the image: boots it under the plug-in rig/measure/insn.c and
reads the counters while it runs. An iteration is a whole turn of the loop: all ports are polled
once, and what comes after them (clock, timers, policy) is in it."""
import bisect
import collections
import dataclasses
import mmap
import os
import re
import struct
import subprocess
import time

from .. import build
from ..machine.command import program
from ..machine.elf import Elf
from ..machine.qemu import Machine
from .generator import Traffic
from .image import image_base, packets_of, read_report

MAGIC = 0x4e534e49
HEADER = struct.Struct("<IIIIII")  # magic, version, vcpus, iterations, blocks_max, block_count
HEAD_AT = 24
VISITS_EACH_AT = 32
VCPU_AT = 64
VCPU = struct.Struct("<QQQQQ")
BLOCK = struct.Struct("<QIIQ")

BURST = 32
USER_TOP = 1 << 47  # addresses of processes lie below
RING_FULL_SHARE = 0.001  # of all instructions
BOOT_S = 20
TX_DESCS = 2048
WINDOW = 1024    # frames in flight: they cannot fill that ring
ROOM_BYTES = 2048  # of a buffer; longer frames take several, and as many descriptors
HAND_OVER_LINES = r"\bowner\b"  # source lines that check or set an owner


class Snapshot:
    """All counters at one moment; `later - earlier` is what happened between."""

    def __init__(self, total, visits, iterations, blocks):
        self.total = total            # instructions, a vCPU
        self.visits = visits
        self.iterations = iterations  # Counter {instructions: times}, all vCPUs
        self.blocks = blocks          # {(vaddr, bytes, instructions): executions}

    def __sub__(self, earlier):
        return Snapshot([a - b for a, b in zip(self.total, earlier.total)],
                        [a - b for a, b in zip(self.visits, earlier.visits)],
                        self.iterations - earlier.iterations,
                        self.blocks - earlier.blocks)


class Counts:
    """The file that the plug-in maps."""

    def __init__(self, path, timeout_s=5):
        deadline = time.monotonic() + timeout_s
        while not (os.path.exists(path) and self._ready(path)):
            if time.monotonic() > deadline:
                raise RuntimeError("the instruction counter did not start")
            time.sleep(0.02)
        with open(path, "r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)
        _, _, self._vcpus, self._iterations, _, _ = HEADER.unpack_from(self._map)

    @staticmethod
    def _ready(path):
        with open(path, "rb") as file:
            start = file.read(4)
        return len(start) == 4 and struct.unpack("<I", start)[0] == MAGIC

    def set_head(self, address, visits_each=1):
        struct.pack_into("<Q", self._map, VISITS_EACH_AT, visits_each)
        struct.pack_into("<Q", self._map, HEAD_AT, address)

    def snapshot(self):
        """Not of one instant while the guest runs: off by the microseconds it takes to read."""
        total, visits = [], []
        iterations = collections.Counter()
        vcpu_bytes = VCPU.size + 8 * self._iterations
        for vcpu in range(self._vcpus):
            at = VCPU_AT + vcpu * vcpu_bytes
            one_total, one_visits, _, _, _ = VCPU.unpack_from(self._map, at)
            total.append(one_total)
            visits.append(one_visits)
            times = struct.unpack_from(f"<{self._iterations}Q", self._map, at + VCPU.size)
            iterations.update({i: n for i, n in enumerate(times) if n})
        blocks = collections.Counter()
        blocks_at = VCPU_AT + self._vcpus * vcpu_bytes
        count = HEADER.unpack_from(self._map)[5]
        for i in range(count):
            vaddr, size, insns, executions = BLOCK.unpack_from(
                self._map, blocks_at + i * BLOCK.size)
            blocks[vaddr, size, insns] = executions
        return Snapshot(total, visits, iterations, blocks)

    def close(self):
        self._map.close()


def plugin_path(build_dir, nic="e1000e"):
    """The module that the QEMU for that card loads."""
    text = subprocess.run([program(nic), "--version"], capture_output=True, text=True,
                          check=True).stdout
    major = int(re.search(r"version (\d+)\.", text).group(1))
    api = 1 if major < 9 else 2 if major < 11 else 7
    return os.path.join(build_dir, "rig", f"insn{api}.so")


def by_function(snapshot, elf, image_base):
    """{function: instructions executed}, largest first; what is no function of ours: '?'."""
    counts = collections.Counter()
    for (vaddr, _, insns), executions in snapshot.blocks.items():
        name = elf.function_at(vaddr - image_base) if vaddr >= image_base else None
        counts[name or "?"] += insns * executions
    return counts


def _instruction_addresses(elf):
    """Every instruction of the image, as offsets, in order (by objdump)."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-j", ".text", elf.path],
                          capture_output=True, text=True, check=True).stdout
    return [int(line.split(":")[0], 16) - elf.link_base for line in text.splitlines()
            if re.match(r"^\s+[0-9a-f]+:\t", line)]


def executions_by_instruction(snapshot, elf, image_base):
    """{offset: executions} of each instruction of the image that ran."""
    addresses = _instruction_addresses(elf)
    executed = collections.Counter()
    for (vaddr, size, _), executions in snapshot.blocks.items():
        first = bisect.bisect_left(addresses, vaddr - image_base)
        last = bisect.bisect_left(addresses, vaddr - image_base + size)
        for address in addresses[first:last]:
            executed[address] += executions
    return executed


def _source_text(path, line, cache={}):
    """A line of a source file of this tree, "" when it is not there."""
    if path not in cache:
        try:
            with open(path, encoding="utf-8") as file:
                cache[path] = file.read().splitlines()
        except OSError:
            cache[path] = []
    return cache[path][line - 1] if 0 < line <= len(cache[path]) else ""


def counts_by_source(snapshot, elf, image_base, pattern):
    """Instructions executed that the debug lines place on a source line with `pattern`."""
    executed = executions_by_instruction(snapshot, elf, image_base)
    offsets = [offset for offset in executed if executed[offset]]
    asked = "\n".join(hex(offset + elf.link_base) for offset in offsets)
    answer = subprocess.run(["addr2line", "-e", elf.path], input=asked, capture_output=True,
                            text=True, check=True).stdout.splitlines()
    wanted = re.compile(pattern)
    total = 0
    for offset, where in zip(offsets, answer):
        path, _, line = where.split(" ")[0].rpartition(":")
        if line.isdigit() and wanted.search(_source_text(path, int(line))):
            total += executed[offset]
    return total


def mode_of(iterations, low=0):
    """The most frequent number of instructions that is at least `low`; 0 when there is none."""
    usable = {insns: times for insns, times in iterations.items() if insns >= low}
    return max(usable, key=lambda insns: (usable[insns], insns)) if usable else 0


def ring_was_full(app, functions):
    """`functions`: by_function of a run. A full transmit ring is tried again and again: what is
    counted then is how fast the host empties it."""
    tried = sum(n for name, n in functions.items() if name.startswith(app.ring_full))
    return tried > RING_FULL_SHARE * sum(functions.values())


def at_full_bursts(one, single, busy):
    """Instructions a packet in bursts of BURST. `single` and `busy`: (iterations, packets) at low
    load and at saturation; `one`: the shortest iteration that finds something.

    A driver does part of a packet's work, its completion, in a later iteration, and not each
    saturated poll finds a full burst: no single iteration is "the" burst. So this takes the mean
    iterations of both runs and the straight line through them."""
    points = []
    for iterations, packets in (single, busy):
        found = {insns: times for insns, times in iterations.items() if insns >= one}
        visits = max(sum(found.values()), 1)
        points.append((packets / visits, sum(i * n for i, n in found.items()) / visits))
    (batch1, insns1), (batch2, insns2) = points
    slope = (insns2 - insns1) / max(batch2 - batch1, 1)
    return (insns2 + slope * (BURST - batch2)) / BURST


def hottest_block(counts, flood):
    """Address of a block that a polling process runs once for each poll, without its symbols:
    of the blocks that run most often while nothing comes, most run once a poll under load too
    (the others belong to empty polls or to packets)."""
    first = counts.snapshot()
    time.sleep(0.5)
    idle = (counts.snapshot() - first).blocks
    first = counts.snapshot()
    flood()
    busy = (counts.snapshot() - first).blocks
    idle = {block: n for block, n in idle.items() if block[0] < USER_TOP}
    top = max(idle.values(), default=0)
    tied = [block for block, n in idle.items() if n > 0.97 * top]
    if not top or not tied:
        raise RuntimeError("no polling loop found in the Linux guest")
    often = {block: sum(abs(busy[other] - busy[block]) < 0.01 * busy[block] for other in tied)
             for block in tied}
    return max(tied, key=lambda block: (often[block], -block[0]))[0]


@dataclasses.dataclass
class Measured:
    per_packet: float        # whole turns, at full bursts
    per_packet_average: float  # all turns that found something / packets
    batch_average: float
    empty: float             # a turn that finds nothing, a port
    one: int                 # a turn with one packet; the other port has none
    full: int                # the most usual turn at saturation
    hand_over: float         # instructions of one owner check and change
    functions: dict          # instructions a packet, by function, at saturation

    def as_dict(self):
        return dataclasses.asdict(self)


def _watch(counts, machine, action):
    """Runs `action`; returns what was counted and how many packets the image handled."""
    first_report, first = read_report(machine), counts.snapshot()
    action()
    last, last_report = counts.snapshot(), read_report(machine)
    return last - first, packets_of(last_report) - packets_of(first_report)


def measure(app, build_dir, args="", seconds=1.0, frame_bytes=60, nic="e1000e"):
    """Counts an application's instructions a packet: one core, always polling, direct boot."""
    elf = Elf(build.find_image(build_dir, app.name))
    folder = os.path.join(build_dir, "rig")
    path = os.path.join(folder, f"counts-{os.getpid()}")
    options = f"{plugin_path(build_dir, nic)},counts={path}"
    try:
        with Machine(elf.path, args=f"{args} poll=always".strip(), plugin=options,
                     nic=nic) as machine:
            base = image_base(machine, BOOT_S)
            machine.console.wait_for(app.ready, BOOT_S)
            counts = Counts(path)
            with Traffic(os.path.join(folder, "traffic"), machine, lanes="0>1",
                         sizes=str(frame_bytes)) as traffic:
                return _measure(app, counts, machine, traffic, elf, base, seconds,
                                WINDOW // -(-frame_bytes // ROOM_BYTES))
    finally:
        if os.path.exists(path):
            os.unlink(path)


def _measure(app, counts, machine, traffic, elf, base, seconds, window):
    traffic.probe(10)
    traffic.run(1000000, seconds=0.5, window=window, open_loop=True)  # every block translated
    counts.set_head(base + elf.offset(app.head), app.ports)
    time.sleep(0.2)
    idle, _ = _watch(counts, machine, lambda: time.sleep(0.3))
    visits = sum(idle.iterations.values())
    # Turns in which a timer runs are rare.
    usual = [insns for insns, times in idle.iterations.items() if times > visits / 100]
    empty = mode_of(idle.iterations)
    single, singles = _watch(counts, machine, lambda: traffic.run(2000, seconds=0.5))
    busy, packets = _watch(counts, machine, lambda: traffic.run(1500000, seconds=seconds,
                                                                window=window, open_loop=True))
    # After a gap the loop clocks its sources for a while: such an empty turn is no packet, either.
    one = mode_of(single.iterations, low=max(max(usual) + 1, 2 * empty))
    full = mode_of(busy.iterations, low=4 * one)
    found = {i: n for i, n in busy.iterations.items() if i >= one}
    batches = max(sum(found.values()), 1)
    owners = counts_by_source(busy, elf, base, HAND_OVER_LINES)
    per_hand_over = owners / (app.hand_overs * packets) if packets else 0
    functions = by_function(busy, elf, base)
    if ring_was_full(app, functions):
        raise RuntimeError("the transmit ring was full: counts say how fast the host empties "
                           f"it; boot with tx_descs={TX_DESCS}")
    functions = {name: round(count / packets, 2) for name, count in functions.most_common(12)}
    return Measured(per_packet=at_full_bursts(one, (single.iterations, singles),
                                              (busy.iterations, packets)),
                    per_packet_average=sum(i * n for i, n in found.items()) / max(packets, 1),
                    batch_average=packets / batches, empty=empty / app.ports, one=one, full=full,
                    hand_over=round(per_hand_over, 2), functions=functions)
