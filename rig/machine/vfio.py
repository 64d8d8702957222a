# SPDX-License-Identifier: BSD-2-Clause
"""Software 82599 cards for QEMU machines.

    with vfio.Cards(program, folder, ["stream:PATH", "gen:60"]) as cards:
        qemu = [qemu11.get(), *cards.qemu_options(memory_mib=1024), ...]
        ...
        cards.report(0)["rx_frames"]

`program` is the built model/millrace-nic82599. The cards outlive a machine: the next one that
connects finds them reset.
"""
import json
import os
import selectors
import subprocess

READY_S = 10
ANSWER_S = 10


class CardError(RuntimeError):
    """The server did not start or answer."""


def card_mac(number):
    """MAC of a card, as the server gets it."""
    return f"02:82:59:00:00:{number:02x}"


class Cards:
    """The server process. Use as a context manager: leaving it ends the process."""

    def __init__(self, program, folder, backends, *, options=""):
        """`backends`: one a card (millrace-nic82599 without arguments lists them).
        `options`: more of a card's options, as `id=1528,link_ms=500`."""
        self.sockets = [os.path.join(folder, f"card{i}.sock") for i in range(len(backends))]
        command = [program, "--with-parent"]
        for number, (socket, backend) in enumerate(zip(self.sockets, backends)):
            text = f"{socket},mac={card_mac(number)},backend={backend.replace(',', '+')}"
            command += ["--card", text + ("," + options if options else "")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pending = b""
        if "ready" not in self._line(READY_S):
            raise CardError("millrace-nic82599 did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _line(self, timeout_s):
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while b"\n" not in self.pending:  # ends by time or end of file
                if not selector.select(timeout_s):
                    raise CardError("millrace-nic82599 does not answer")
                data = os.read(self.process.stdout.fileno(), 65536)
                if not data:
                    raise CardError("millrace-nic82599 ended")
                self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def command(self, text):
        """One line of the server's language (see its usage); its answer."""
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        answer = self._line(ANSWER_S)
        if "error" in answer:
            raise CardError(f"{text}: {answer['error']}")
        return answer

    def reports(self):
        """Counters of all cards."""
        self.process.stdin.write(b"report\n")
        self.process.stdin.flush()
        return [self._line(ANSWER_S) for _ in self.sockets]

    def report(self, card):
        """Counters of one card."""
        return self.reports()[card]

    def qemu_options(self, memory_mib, machine="q35"):
        """Machine with memory that the server can reach, and the cards behind root ports."""
        options = ["-object", f"memory-backend-memfd,id=ram0,size={memory_mib}M,share=on",
                   "-M", f"{machine},memory-backend=ram0", "-m", f"{memory_mib}M"]
        for number, socket in enumerate(self.sockets):
            options += ["-device", f"pcie-root-port,id=card_port{number},bus=pcie.0,"
                                   f"addr={8 + number:#x},chassis={16 + number}",
                        "-device", json.dumps({
                            "driver": "vfio-user-pci", "id": f"card{number}",
                            "bus": f"card_port{number}", "rombar": 0,
                            "socket": {"type": "unix", "path": socket}})]
        return options

    def close(self):
        """Ends the server."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
