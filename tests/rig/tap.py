# SPDX-License-Identifier: BSD-2-Clause
"""A machine on a TAP interface, for programs that run in a namespace of their own."""
import os
import socket
import subprocess
import sys
import time

from rig.machine.console import Console

MAC = "52:54:00:aa:bb:cc"
PEER = "192.168.7.1"
PATIENCE = 6  # waits say what an idle host needs


def run(words):
    subprocess.run(words.split(), check=True)


def make():
    """tap0 is ours: PEER/24."""
    for words in ("link set lo up", "tuntap add tap0 mode tap", f"address add {PEER}/24 dev tap0",
                  "link set tap0 up"):
        run(f"ip {words}")


def pings(address):
    done = subprocess.run(["ping", "-n", "-c", "3", "-i", "0.2", address], capture_output=True,
                          text=True, timeout=60 * PATIENCE, check=False)
    return "3 received" in done.stdout


class Machine:
    """With an e1000e on tap0, and the options of QEMU that say what it runs."""

    def __init__(self, folder, *options):
        self._monitor = folder / "monitor"
        self.process = subprocess.Popen(
            ["qemu-system-x86_64", "-cpu", "max", "-m", "256", "-nographic", "-no-reboot",
             "-monitor", f"unix:{self._monitor},server=on,wait=off", "-serial", "stdio",
             "-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
             "-device", f"e1000e,netdev=n0,mac={MAC}", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                               patience=PATIENCE)

    def set_link(self, word):
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(str(self._monitor))
            monitor.sendall(f"set_link n0 {word}\n".encode())
            time.sleep(0.2)

    def stop(self):
        """Its exit code says that all buffers are home."""
        self.console.send("stop")
        assert self.console.wait_for(r"exit code=(\d+)", 10).group(1) == "0"
        self.process.wait(60)


def finish():
    """The end of such a program: the console's thread needs none."""
    print("done", flush=True)
    sys.stdout.flush()
    os._exit(0)
