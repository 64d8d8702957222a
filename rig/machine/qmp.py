# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's control socket."""
import json
import socket
import time


class Qmp:
    """One command, one answer; events are skipped."""

    def __init__(self, path, timeout_s=10):
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self._file = self._socket.makefile("rw", encoding="utf-8")
        self._file.readline()  # greeting
        self.command("qmp_capabilities", {})

    def command(self, name, arguments):
        self._file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self._file.flush()
        while True:
            line = self._file.readline()
            if not line:
                raise ConnectionError(f"qmp: closed while {name} was running")
            answer = json.loads(line)
            if "return" in answer:
                return answer["return"]
            if "error" in answer:
                raise RuntimeError(f"qmp: {name}: {answer['error']['desc']}")

    def close(self):
        self._file.close()
        self._socket.close()
