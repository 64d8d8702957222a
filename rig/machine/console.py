# SPDX-License-Identifier: BSD-2-Clause
"""The serial line of a machine: a thread reads it, others wait for what it says."""
import os
import re
import threading
import time

ANSI = re.compile(r"\x1b\[[0-9;?=]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>78cM]")


class ConsoleTimeout(AssertionError):
    """The expected text did not come in time; the message ends with the last lines."""


class Console:
    """Lines that came so far, with their arrival time. Thread safe."""

    def __init__(self, out_fd, in_fd, log_path=None, patience=1, ended=None):
        """`patience`: every timeout is so many times as long. `ended`: called when the line was
        closed, returns how the machine ended, for the message of a ConsoleTimeout."""
        self._patience = patience
        self._ended = ended
        self._out_fd = out_fd
        self._in_fd = in_fd
        self._log = open(log_path, "wb") if log_path else None
        self._changed = threading.Condition()
        self._text = ""  # ANSI sequences and carriage returns removed
        self._pending = ""
        self._closed = False
        self._lines = []  # (monotonic seconds, line)
        self._thread = threading.Thread(target=self._read, name="console", daemon=True)
        self._thread.start()

    def _read(self):
        while True:
            try:
                data = os.read(self._out_fd, 65536)
            except OSError:
                data = b""
            if not data:
                break
            if self._log:
                self._log.write(data)
                self._log.flush()
            self._take(data.decode("latin-1"))
        with self._changed:
            if self._pending:
                self._lines.append((time.monotonic(), self._pending))
            self._closed = True
            self._changed.notify_all()
        if self._log:
            self._log.close()

    def _take(self, text):
        with self._changed:
            self._pending += text
            *whole, self._pending = self._pending.split("\n")
            now = time.monotonic()
            for line in whole:
                line = ANSI.sub("", line).replace("\r", "")
                self._lines.append((now, line))
                self._text += line + "\n"
            if whole:
                self._changed.notify_all()

    @property
    def text(self):
        """Everything said so far (whole lines)."""
        with self._changed:
            return self._text

    @property
    def lines(self):
        with self._changed:
            return [line for _, line in self._lines]

    @property
    def closed(self):
        return self._closed

    def mark(self):
        """A position: pass it as `since` to wait only for what comes later."""
        with self._changed:
            return len(self._lines)

    def find(self, pattern, since=0):
        """First match of a line at or after `since`: (match, arrival time), or None."""
        wanted = re.compile(pattern)
        with self._changed:
            for when, line in self._lines[since:]:
                match = wanted.search(line)
                if match:
                    return match, when
        return None

    def wait_for(self, pattern, timeout_s, since=0):
        """The match of the first line that has `pattern`; ConsoleTimeout when none came."""
        return self.wait_for_at(pattern, timeout_s, since)[0]

    def wait_for_at(self, pattern, timeout_s, since=0):
        """As wait_for, with the arrival time (time.monotonic()) beside the match."""
        deadline = time.monotonic() + timeout_s * self._patience
        wanted = re.compile(pattern)
        position = since
        with self._changed:
            while True:
                for when, line in self._lines[position:]:
                    match = wanted.search(line)
                    if match:
                        return match, when
                position = len(self._lines)
                left = deadline - time.monotonic()
                if self._closed or left <= 0:
                    break
                self._changed.wait(left)
        raise ConsoleTimeout(self._complaint(pattern, timeout_s))

    def _complaint(self, pattern, timeout_s):
        why = f"not within {timeout_s * self._patience:g} s"
        if self._closed:
            why = "the machine ended" + (f" ({self._ended()})" if self._ended else "")
        tail = "\n".join("    | " + line for line in self.lines[-25:])
        return f"console: no line matches {pattern!r}: {why}; last lines:\n{tail}"

    def wait_closed(self, timeout_s):
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def send(self, line):
        """Types one command."""
        os.write(self._in_fd, line.encode("latin-1") + b"\n")
