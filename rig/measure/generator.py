# SPDX-License-Identifier: BSD-2-Clause
"""The traffic program, held open over many trials of one machine."""
import json
import queue
import subprocess
import threading

from ..machine.qemu import die_with_parent

BOTH_WAYS = "0>1,1>0"  # lanes
WINDOW = 2048          # frames in flight at most, as rig/traffic/command.c has it
SLOWEST_PPS = 2000  # a host and machine slower than this are given up


class TrafficError(RuntimeError):
    """The traffic program refused a command, died or did not answer."""


class ProbeLost(TrafficError):
    """No probe came back in the time."""


class Traffic:
    """traffic = Traffic(program, machine); traffic.run(rate_pps=20000, frames=40000).

    Keyword arguments go to the program as they are: rig/traffic/main.c lists them. Answers are
    dictionaries. Lanes are one-way paths, "0>1,1>0" both ways.
    """

    def __init__(self, program, machine=None, ports=None, drop_one_in=0, **defaults):
        """`ports`: (socket path, MAC) pairs instead of a machine. `defaults`: for each trial,
        such as mode or lanes. `drop_one_in`: a test of the rig, see rig/traffic/main.c."""
        if ports is None:
            ports = [(machine.port_path(i), machine.port_mac(i)) for i in range(machine.ports)]
        self._defaults = defaults
        self._answers = queue.Queue()
        thief = ["--drop-one-in", str(drop_one_in)] if drop_one_in else []
        self.process = subprocess.Popen(
            [str(program), *thief, *(f"{path},{mac}" for path, mac in ports)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self._answer(15)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        for line in self.process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def _answer(self, timeout_s):
        try:
            line = self._answers.get(timeout=timeout_s)
        except queue.Empty:
            raise TrafficError(f"traffic: no answer within {timeout_s:.0f} s") from None
        if line is None:
            raise TrafficError("traffic: the program ended (is the machine still running?)")
        answer = json.loads(line)
        if not answer["ok"]:
            raise TrafficError(f"traffic: {answer['error']}")
        return answer

    def command(self, cmd, timeout_s, **fields):
        """Sends one command, waits for its answer."""
        self.process.stdin.write(json.dumps({"cmd": cmd, **fields}) + "\n")
        self.process.stdin.flush()
        return self._answer(timeout_s)

    def run(self, rate_pps, frames=None, seconds=1.0, **fields):
        """Sends frames at a rate: so many, or for so long. A full window holds the schedule, so
        all are sent, late on a slow host. With open_loop=True it does not: see `not_sent`."""
        if frames is None:
            frames = max(1, int(rate_pps * seconds))
        fields = {**self._defaults, **fields}
        limit_s = 60 + 2 * frames / (rate_pps or SLOWEST_PPS)
        if not fields.get("open_loop"):
            limit_s = 60 + 2 * frames / min(rate_pps or SLOWEST_PPS, SLOWEST_PPS)
        return self.command("run", limit_s, rate_pps=int(rate_pps), frames=int(frames), **fields)

    def flood(self, frames, limit_s, **fields):
        """Sends so many frames as fast as the window lets, fewer when the time is up."""
        return self.run(0, frames=frames, limit_ms=int(1000 * limit_s), **fields)

    def burst(self, count, **fields):
        """Sends `count` frames at once, then is silent; the answer says how many came back."""
        fields.setdefault("tick_us", 100)
        return self.run(0, frames=count, **{"window": max(WINDOW, count), **fields})

    def bursts(self, first=1, last=1024, gap_us=1000, **fields):
        """Bursts of first..last frames, each followed by a random silence of at most gap_us;
        `left` counts frames that did not come back."""
        fields = {**self._defaults, "after_us": 0, "block": True, **fields}
        limit_s = 60 + (last - first + 1) * 1.2
        return self.command("bursts", limit_s, first=first, last=last, gap_us=gap_us, **fields)

    def probe(self, timeout_s=10, every_us=5000, **fields):
        """One frame each `every_us` until the first comes back; TrafficError when none does."""
        fields = {**self._defaults, **fields}
        answer = self.command("probe", timeout_s + 15, every_us=every_us,
                              timeout_ms=int(timeout_s * 1000), **fields)
        if not answer["first_received_ns"]:
            raise ProbeLost(f"traffic: none of {answer['sent']} probes came back in "
                               f"{timeout_s:.0f} s")
        return answer

    def replay(self, pcap, rate_pps=1000, frames=0, **fields):
        """Sends a capture file once; `frames` more than it holds: again from its start."""
        fields = {**self._defaults, **fields}
        if frames:
            fields["frames"] = frames
        return self.command("replay", 600, pcap=str(pcap), rate_pps=rate_pps, **fields)

    def sink(self, ms=1000):
        """What comes out of each port in a time, whoever sent it."""
        return self.command("sink", ms / 1000 + 15, ms=ms)["ports"]

    def close(self):
        """Ends the program."""
        if self.process.poll() is None:
            try:
                self.process.stdin.write('{"cmd":"quit"}\n')
                self.process.stdin.flush()
                self.process.wait(2)
            except (OSError, subprocess.TimeoutExpired):
                self.process.kill()
        self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except OSError:
                pass
