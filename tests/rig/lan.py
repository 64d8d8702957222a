# SPDX-License-Identifier: BSD-2-Clause
"""A network of its own for tests of the boot server: a bridge in a network namespace (no root
needed), and on it hosts with a namespace each. What is here runs inside in_namespace().
"""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKET_OUTGOING = 4
ETH_P_ALL = 3
DHCP = ("dnsmasq --keep-in-foreground --conf-file=/dev/null --port=0 --interface=v1"
        " --bind-dynamic --dhcp-range=192.168.7.100,192.168.7.200,255.255.255.0 --user=root"
        " --group= --pid-file= --dhcp-leasefile=/dev/null")
# A namespace of one user has nobody to drop privileges to.
SERVE = """
import sys
from rig.commands import serve
plain = serve.dnsmasq_command
serve.dnsmasq_command = lambda *a: plain(*a) + ["--user=root", "--group="]
sys.exit(serve.serve("br0", sys.argv[1], sys.argv[2], False, sys.argv[3:]))
"""


def in_namespace(*command):
    return ["unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", *command]


def need(*programs, tap=False):
    """Skips the test on a system that cannot do it."""
    for program in ("unshare", "ip", *programs):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    if subprocess.run(in_namespace("true"), capture_output=True, check=False).returncode != 0:
        pytest.skip("this system allows no user namespaces")
    if tap and not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened")


def again_in_namespace(script, *words, timeout_s=300):
    """Runs a test module as a program in a namespace; fails with its output."""
    done = subprocess.run(in_namespace(sys.executable, script, *words), text=True,
                          capture_output=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]


def run(text):
    subprocess.run(text.split(), check=True)


def bridge(taps=0):
    """br0 is 192.168.7.1, the interface that is served."""
    run("ip link set lo up")
    run("ip link add br0 type bridge")
    run("ip address add 192.168.7.1/24 dev br0")
    run("ip link set br0 up")
    for tap in range(taps):
        run(f"ip tuntap add tap{tap} mode tap")
        run(f"ip link set tap{tap} master br0 up")


def host(number, command, **options):
    """The process of another host on the bridge, 192.168.7.NUMBER on v1: it runs `command`."""
    run(f"ip link add v{number} type veth peer name p{number}")
    run(f"ip link set v{number} master br0 up")
    with tempfile.TemporaryDirectory() as folder:
        ready = os.path.join(folder, "ready")
        script = (f": >{ready};"
                  f"until ip link show p{number} >/dev/null 2>&1; do sleep 0.05; done;"
                  f"ip link set lo up; ip link set p{number} name v1; "
                  f"ip address add 192.168.7.{number}/24 dev v1; ip link set v1 up; "
                  f"exec {command}")
        process = subprocess.Popen(["unshare", "--net", "sh", "-c", script], **options)
        deadline = time.monotonic() + 10
        while not os.path.exists(ready):
            assert time.monotonic() < deadline, "unshare --net did not"
            time.sleep(0.05)
    run(f"ip link set p{number} netns {process.pid}")
    return process


def dhcp_server():
    """Somebody else's, which knows nothing of PXE."""
    return host(2, DHCP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def as_from_a_terminal():
    """A test run in the background ignores Ctrl-C, and what it starts would, too."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


def serve(image, args="mode=io", macs=(), **options):
    """`./millrace boot --serve br0`: its process."""
    return subprocess.Popen([sys.executable, "-c", SERVE, image, args, *macs], cwd=ROOT,
                            text=True, preexec_fn=as_from_a_terminal,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)


def read_until(server, text):
    """The lines of the server up to the one with `text`."""
    lines = []
    while not lines or text not in lines[-1]:
        line = server.stdout.readline()
        assert line, f"the server ended: {''.join(lines)}"
        lines.append(line)
    return lines


class Watch:
    """Frames that a machine sends into its tap."""

    def __init__(self, tap):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.bind((tap, ETH_P_ALL))
        self.socket.setblocking(False)

    def take(self):
        """What came since the last call."""
        frames = []
        while True:
            try:
                data, address = self.socket.recvfrom(2048)
            except BlockingIOError:
                return frames
            if address[2] != PACKET_OUTGOING:
                frames.append(data)
