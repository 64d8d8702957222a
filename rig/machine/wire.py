# SPDX-License-Identifier: BSD-2-Clause
"""The other end of a port's cable, for a few frames at a time; the traffic program is for many.

What comes back is read all the time: QEMU stands still, console and all, when nobody does.
"""
import socket
import struct
import threading

LENGTH = struct.Struct(">I")  # before each frame of a stream socket
HEAD_BYTES = 14
SENDER, RECEIVER = b"\2\0\0\0\0\2", b"\2\0\0\0\0\1"
UDP, NO_NEXT_HEADER, DISCARD_PORT = 17, 59, 9


def _internet_sum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def _ipv4(size, number):
    """UDP without a checksum; each number is a flow of its own."""
    def head(checksum):
        return struct.pack(">BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, UDP, checksum,
                           bytes((10, 0, 0, 1)), bytes((10, 0, 0, 2)))
    return head(_internet_sum(head(0))) + struct.pack(
        ">HHHH", 1024 + number % 60000, DISCARD_PORT, size - 20, 0)


def _ipv6(size, number):
    """Nothing in it."""
    return struct.pack(">IHBB16s16s", 6 << 28, size - 40, NO_NEXT_HEADER, 64,
                       (0xfd << 120 | number).to_bytes(16, "big"),
                       (0xfd << 120).to_bytes(16, "big"))


def _arp(_size, _number):
    """Who has 10.0.0.2?"""
    return struct.pack(">HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, SENDER, bytes((10, 0, 0, 1)),
                       bytes(6), bytes((10, 0, 0, 2)))


def _vlan(size, number):
    """The same, behind a tag."""
    return struct.pack(">HH", 7, 0x0806) + _arp(size - 4, number)


BODIES = {0x0800: _ipv4, 0x86DD: _ipv6, 0x0806: _arp, 0x8100: _vlan}


def frame(ethertype, size, number=0):
    """A frame of `size` bytes, without CRC: whole headers where the type is known (cards refuse
    to send an IP frame without), then zeros."""
    body = BODIES.get(ethertype, lambda *_: b"")(size - HEAD_BYTES, number)
    head = RECEIVER + SENDER + struct.pack(">H", ethertype) + body
    return head + bytes(size - len(head))


class Wire:
    """A cable in a port. QEMU ends when it is pulled: hold it until the stop."""

    def __init__(self, path):
        self.came_back = 0  # frames
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._thread = threading.Thread(target=self._read, name="wire", daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _read(self):
        with self._socket.makefile("rb") as stream:
            while True:
                try:
                    head = stream.read(LENGTH.size)
                    if len(head) < LENGTH.size or not stream.read(*LENGTH.unpack(head)):
                        return
                except OSError:  # the machine has ended
                    return
                self.came_back += 1

    def send(self, frames):
        """Sends frames, in one piece each."""
        for one in frames:
            self._socket.sendall(LENGTH.pack(len(one)) + one)

    def close(self):
        """Pulls the cable."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self._socket.close()
