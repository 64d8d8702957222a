# SPDX-License-Identifier: BSD-2-Clause
"""A forwarder with two ports in this process, for testing the traffic program itself: it
speaks QEMU's stream framing, and can be told to lose, repeat, change or swap frames."""
import os
import selectors
import socket
import struct
import threading

from rig.machine.command import port_mac


def mac_bytes(text):
    return bytes.fromhex(text.replace(":", ""))


class Echo:
    """Frames in at port 0 go out at port 1 and back. `fault(number, frame)` returns the frames
    to send instead of the one (a list, maybe empty); numbers count frames from 0."""

    def __init__(self, folder, mode="mac", fault=None):
        self.mode, self.fault = mode, fault
        self.paths = [os.path.join(folder, f"echo{port}.sock") for port in (0, 1)]
        self.ports = [(path, port_mac(port)) for port, path in enumerate(self.paths)]
        self._listeners = []
        for path in self.paths:
            if os.path.exists(path):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(path)
            listener.listen(1)
            self._listeners.append(listener)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(5)
        for listener in self._listeners:
            listener.close()

    def _rewrite(self, frame, to_port):
        if self.mode == "mac":
            return bytes([2, 0, 0, 0, 0, to_port]) + mac_bytes(port_mac(to_port)) + frame[12:]
        if self.mode == "macswap":
            return frame[6:12] + frame[:6] + frame[12:]
        return frame

    def _forward(self, number, frame, to_port):
        frame = self._rewrite(frame, to_port)
        frames = [frame] if self.fault is None else self.fault(number, frame)
        return b"".join(struct.pack(">I", len(f)) + f for f in frames)

    def _serve(self):
        for listener in self._listeners:
            listener.settimeout(10)
        sockets = [listener.accept()[0] for listener in self._listeners]
        pending = [b"", b""]
        number = 0
        with selectors.DefaultSelector() as selector:
            for port, one in enumerate(sockets):
                selector.register(one, selectors.EVENT_READ, port)
            while not self._stop.is_set():
                for key, _ in selector.select(0.1):
                    data = key.fileobj.recv(65536)
                    if not data:
                        self._stop.set()
                        break
                    pending[key.data] += data
                    out = []
                    while len(pending[key.data]) >= 4:
                        length, = struct.unpack_from(">I", pending[key.data])
                        if len(pending[key.data]) < 4 + length:
                            break
                        frame = pending[key.data][4:4 + length]
                        pending[key.data] = pending[key.data][4 + length:]
                        out.append(self._forward(number, frame, 1 - key.data))
                        number += 1
                    sockets[1 - key.data].sendall(b"".join(out))
        for one in sockets:
            one.close()
