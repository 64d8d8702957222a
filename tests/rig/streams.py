# SPDX-License-Identifier: BSD-2-Clause
"""Streams of bytes that a seed decides, of any length, and what comes back of them."""
import hashlib
import random
import socket
import threading

BLOCK_BYTES = 1 << 20
READ_BYTES = 1 << 18


def blocks(size, seed):
    """`size` bytes, none of them by a rule that a lost or doubled segment would follow, too."""
    chance = random.Random(seed)
    for at in range(0, size, BLOCK_BYTES):
        yield chance.randbytes(min(BLOCK_BYTES, size - at))


def exchange(conn, size, seed):
    """Sends all and reads what comes back at once, to the end: (bytes that came, whether they are
    those that were sent)."""
    sent, got, count = hashlib.sha256(), hashlib.sha256(), 0

    def feed():
        for block in blocks(size, seed):
            sent.update(block)
            conn.sendall(block)
        conn.shutdown(socket.SHUT_WR)
    feeder = threading.Thread(target=feed)
    feeder.start()
    while piece := conn.recv(READ_BYTES):
        got.update(piece)
        count += len(piece)
    feeder.join()
    return count, got.digest() == sent.digest()


def echoed(address, size, seed, wait_s):
    """One connection to the echo service: all comes back as it was."""
    with socket.create_connection((address, 7), timeout=wait_s) as conn:
        count, same = exchange(conn, size, seed)
    assert (count, same) == (size, True), f"{count} of {size} bytes came back, the same: {same}"
