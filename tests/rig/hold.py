# SPDX-License-Identifier: BSD-2-Clause
"""One thread of a machine stopped, as a host without a free CPU does it.

    with Held(machine, "CPU 1/TCG"):
        ... the other cores run on ...
"""
import ctypes
import os
import time

import pytest

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17  # linux/ptrace.h
WAIT_FOR_ANY_THREAD = 0x40000000               # __WALL of wait(2)
FIND_S = 10


def thread_id(pid, name):
    """The thread of that name, which may not be there yet."""
    until = time.monotonic() + FIND_S
    while time.monotonic() < until:
        for thread in os.listdir(f"/proc/{pid}/task"):
            try:
                with open(f"/proc/{pid}/task/{thread}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == name:
                        return int(thread)
            except OSError:
                continue  # the thread ended meanwhile
        time.sleep(0.01)
    raise AssertionError(f"QEMU has no thread {name}")


class Held:
    """Stops the thread on entry, lets it go on at the end. Skips where ptrace is not allowed."""

    def __init__(self, machine, name):
        self._thread = thread_id(machine.process.pid, name)
        self._ptrace = ctypes.CDLL(None, use_errno=True).ptrace
        self._ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def __enter__(self):
        if self._ptrace(SEIZE, self._thread, None, None) != 0:
            pytest.skip(f"ptrace: {os.strerror(ctypes.get_errno())}")
        self._ptrace(INTERRUPT, self._thread, None, None)
        os.waitpid(self._thread, WAIT_FOR_ANY_THREAD)

    def __exit__(self, *_):
        self._ptrace(DETACH, self._thread, None, None)
