#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux beside our stack, with a bad line between them: run by test_net_line.py as `line_peer.py
APPS CASE [MIB]` in a namespace of its own. APPS is the folder of echo_process and l2fwd_process.
"""
import contextlib
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from rig.machine.console import Console  # noqa: E402  (needs the path above)
from tests.rig import streams  # noqa: E402
from tests.rig.tap import PATIENCE, finish, run  # noqa: E402

OURS, PEER = "192.0.2.1", "192.0.2.2"
OURS6, PEER6 = "2001:db8::1", "2001:db8::2"
WAIT_S = 60 * PATIENCE  # for one more byte; a guard
MIB = 1 << 20
CONNS = 10000
PARTS = 4  # processes that open them
# What a line does beside losing frames: 1 in 100 comes twice, 1 in 50 a millisecond late, which
# is some round trips here, and costs a sender half of its speed each time.
HARM = "+duplicate_ppm=10000+reorder_ppm=20000+reorder_us=1000"
MILD = "+duplicate_ppm=10000+reorder_ppm=2000+reorder_us=300"


class Process:
    """An application as a Linux process, with its console."""

    def __init__(self, program, *words):
        self.process = subprocess.Popen([program, *words], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.console = Console(self.process.stdout.fileno(), self.process.stdin.fileno(),
                               patience=PATIENCE)

    def stop(self):
        """Its exit code says that all buffers are home."""
        self.console.send("stop")
        said = self.console.wait_for(r"exit code=(\d+)", 10)
        self.process.wait(WAIT_S)
        tail = "\n".join(self.console.lines[-40:])
        assert said.group(1) == "0", tail
        return tail


def tap(name, *addresses):
    """A TAP interface that stays; where it has addresses its line is Linux's."""
    run(f"ip tuntap add {name} mode tap")
    for address in addresses:
        run(f"ip address add {address} dev {name}" + (" nodad" if ":" in address else ""))
    run(f"ip link set {name} up")


@contextlib.contextmanager
def echo(apps, line, *words):
    """The echo process behind a line on tap0; stopped at the end, with every buffer home."""
    tap("tap0", PEER + "/24", PEER6 + "/64")
    one = Process(f"{apps}/echo_process", f"ports=(tap:tap0{line})", "cores=1",
                  "pool_size=8192", f"ip={OURS}:::255.255.255.0::{int(line != '')}",
                  ("ip6=off;" if line else "ip6=") + OURS6 + "/64", *words)
    for address in (OURS, OURS6):
        one.console.wait_for(rf"net port=\d ip={address} state=ready", 20)
    yield one
    print(one.stop())


def bulk(apps, mib, loss_ppm, harm=HARM):
    """To the echo service and back: lost frames both ways, and what a line does beside that."""
    line = f"+seed={mib}+loss_ppm={loss_ppm}{harm}"
    with echo(apps, line):
        begin = time.monotonic()
        streams.echoed(OURS, mib * MIB, mib, WAIT_S)
        print(f"{mib} MiB each way, {loss_ppm} ppm lost: {time.monotonic() - begin:.1f} s")
        streams.echoed(OURS6, max(mib // 16, 1) * MIB, mib + 1, WAIT_S)


def clean(apps, mib="256"):
    bulk(apps, int(mib), 0, MILD)


def loss1(apps, mib="32"):
    bulk(apps, int(mib), 10000)


def loss5(apps, mib="8"):
    bulk(apps, int(mib), 50000)


def image(apps, mib="4"):
    """A machine whose card is a stream of QEMU, and between that and Linux a bad line."""
    tap("tap0", PEER + "/24", PEER6 + "/64")
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/n0"
        machine = Process("qemu-system-x86_64", "-cpu", "max", "-m", "256", "-nodefaults",
                          "-display", "none", "-no-reboot", "-serial", "stdio",
                          "-netdev", f"stream,id=n0,server=on,addr.type=unix,addr.path={path}",
                          "-device", "e1000e,netdev=n0", "-kernel", f"{apps}/echo.elf", "-append",
                          f"ports=1 ip={OURS}:::255.255.255.0 ip6={OURS6}/64")
        machine.console.wait_for("state=listening", 20)
        line = Process(f"{apps}/l2fwd_process", f"ports=(tap:tap0+seed=6+loss_ppm=10000{HARM},"
                       f"stream:{path})", "cores=1", "mode=io")
        line.console.wait_for("state=forwarding", 20)
        for address in (OURS, OURS6):
            machine.console.wait_for(rf"net port=0 ip={address} state=ready", 20, since=0)
            streams.echoed(address, int(mib) * MIB, int(mib), WAIT_S)
        print(machine.stop(), line.stop())


# ---- ten thousand connections ----

LONG_LINE = "+seed=3+loss_ppm=1000+delay_us=200"


def use(conns, first):
    """Each says its number, and gets it back."""
    for number, conn in enumerate(conns, first):
        conn.settimeout(WAIT_S)
        conn.sendall(b"%d\n" % number)
    for number, conn in enumerate(conns, first):
        said = b""
        while not said.endswith(b"\n"):
            piece = conn.recv(100)
            assert piece, f"{number}: the end after {said}"
            said += piece
        assert said == b"%d\n" % number, (number, said)


def let_go(conns):
    """Half of them end in order, the others break off."""
    for conn in conns[::2]:
        conn.shutdown(socket.SHUT_WR)
    for conn in conns[::2]:
        assert conn.recv(1) == b"", "more than was sent"
    for conn in conns[1::2]:
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    for conn in conns:
        conn.close()


def one_part(number, ready, go):
    """A process of its own: says when all of its connections stand, and waits."""
    try:
        conns = [socket.create_connection((OURS, 7), timeout=WAIT_S)
                 for _ in range(CONNS // PARTS)]
        use(conns, number * (CONNS // PARTS))
        os.write(ready, b"+")
        os.read(go, 1)
        let_go(conns)
    except BaseException as error:  # whatever it is: this process must not go on as its parent
        print(f"part {number}: {type(error).__name__} {error}", flush=True)
        os.write(ready, b"-")
        os._exit(1)
    os._exit(0)


def ten_thousand(apps):
    """Opened in parallel over a line that loses frames, all there at once, closed in parallel."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNS, CONNS))
    with echo(apps, LONG_LINE, f"conns={CONNS + 100}") as one:
        ready_in, ready_out = os.pipe()
        go_in, go_out = os.pipe()
        parts = []
        for number in range(PARTS):
            parts.append(os.fork())
            if parts[-1] == 0:
                one_part(number, ready_out, go_in)
        for _ in parts:
            assert os.read(ready_in, 1) == b"+", "connections failed"
        os.write(go_out, b"+" * len(parts))
        for part in parts:
            assert os.waitpid(part, 0)[1] == 0, "connections failed"
        streams.echoed(OURS, MIB, 1, WAIT_S)
        one.console.send("net")
        one.console.wait_for(r"net core=0 tcp_passive_opens=\d+", 10)


def called(apps):
    """We connect to Linux, as often at once; what it says is echoed, also a long stream."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (CONNS + 100, CONNS + 100))
    with socket.create_server(("0.0.0.0", 7), backlog=4096) as listener, \
            echo(apps, LONG_LINE, f"conns={CONNS + 100}", f"connect={PEER}",
                 f"connect_count={CONNS + 1}"):
        listener.settimeout(WAIT_S)
        conns = [listener.accept()[0] for _ in range(CONNS + 1)]
        use(conns, 0)
        with conns.pop() as conn:
            assert streams.exchange(conn, 8 * MIB, 1) == (8 * MIB, True)
        let_go(conns)


# ---- programs that everybody has ----

def flood(apps):
    """ping -f, small packets and fragments: every one is answered."""
    with echo(apps, ""):
        for to, size in ((OURS, 56), (OURS, 1472), (OURS, 4000), (OURS6, 56), (OURS6, 4000)):
            done = subprocess.run(["ping", "-n", "-q", "-f", "-c", "2000", "-s", str(size), to],
                                  capture_output=True, text=True, timeout=WAIT_S, check=False)
            assert " 0% packet loss" in done.stdout, (to, size, done.stdout, done.stderr)


def netcat(apps):
    """nc sends a file and ends its side; what comes back is the file."""
    data = b"".join(streams.blocks(5 * MIB + 1, 5))
    with echo(apps, "+seed=5+loss_ppm=5000" + HARM):
        for address in (OURS, OURS6):
            done = subprocess.run(["nc", "-N", address, "7"], input=data, capture_output=True,
                                  timeout=WAIT_S, check=False)
            assert (done.returncode, done.stdout == data) == (0, True), done.stderr


NO_PATTERN = r"SEQ\([^)]*GCD=1%[^)]*TI=Z%"  # no common divisor, no packet numbers


def scan(address, *words):
    """What nmap -O says of a host with an open and a closed port."""
    done = subprocess.run(["nmap", "-n", "-Pn", "-O", "-v", "-d", "-p", "7,10", *words, address],
                          capture_output=True, text=True, timeout=WAIT_S, check=False)
    difficulty = re.search(r"Difficulty=(\d+)", done.stdout)
    assert difficulty, done.stdout[-3000:] + done.stderr
    return int(difficulty.group(1)), re.sub(r"\nOS:", "", done.stdout)


def nmap(apps):
    """First sequence numbers are as hard to guess as Linux's, and nothing counts packets."""
    with socket.create_server(("127.0.0.1", 7)):
        linux = scan("127.0.0.1")[0]
    with echo(apps, ""):
        for _ in range(3):  # of six random numbers 1 in 28 has a common divisor by chance
            ours, said = scan(OURS)
            if ours >= linux - 8 and re.search(NO_PATTERN, said):
                break
    print(f"difficulty {ours}, Linux {linux}", said)
    assert ours >= linux - 8, f"difficulty {ours}, Linux's is {linux}"
    assert re.search(NO_PATTERN, said), said[-3000:]
    assert "7/tcp  open" in said and "10/tcp closed" in said, said[-3000:]


# ---- goodput beside Linux ----

FAR, NEAR = "198.51.100.1", "198.51.100.2"
LINES = {"clean": "+delay_us=2000+rate_bps=50000000",
         "queue": "+delay_us=2000+rate_bps=50000000+frames_max=100"}
ROUNDS, ROUND_MIB = 3, 8
SHARE_LEAST = 0.9


def discard(_, address):
    """Linux's own discard service, in a namespace to which an interface is given later."""
    print("here", flush=True)
    deadline = time.monotonic() + WAIT_S
    while subprocess.run("ip link show far".split(), capture_output=True,
                         check=False).returncode != 0:
        assert time.monotonic() < deadline, "no interface was given"
        time.sleep(0.02)
    run(f"ip address add {address}/24 dev far")
    run("ip link set far up")
    room = bytearray(streams.READ_BYTES)
    with socket.create_server((address, 9)) as listener:
        print("ready", flush=True)
        while True:  # until it is killed
            conn, _ = listener.accept()
            with conn:
                while conn.recv_into(room):
                    pass


def send(address, data):
    """Seconds from the first byte to the peer's end, which comes when all was read."""
    with socket.socket() as conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"reno")
        conn.settimeout(WAIT_S)
        conn.connect((address, 9))
        begin = time.monotonic()
        conn.sendall(data)
        conn.shutdown(socket.SHUT_WR)
        assert conn.recv(1) == b"", "discard said something"
        return time.monotonic() - begin


@contextlib.contextmanager
def linux(apps, line):
    """Another Linux behind a line: l2fwd between two TAPs, the far one in its namespace."""
    tap("tap1", NEAR + "/24")
    run("ip tuntap add far mode tap")
    forwarder = Process(f"{apps}/l2fwd_process", f"ports=(tap:tap1{line},tap:far)", "cores=1",
                        "mode=io", "pool_size=8192")
    forwarder.console.wait_for("state=forwarding", 20)
    there = subprocess.Popen(["unshare", "-n", sys.executable, __file__, apps, "discard", FAR],
                             stdout=subprocess.PIPE, text=True)
    try:
        assert there.stdout.readline() == "here\n"
        run(f"ip link set far netns {there.pid}")
        assert there.stdout.readline() == "ready\n"
        yield
    finally:
        there.kill()
        there.wait()
    forwarder.stop()


def goodput(apps, name):
    """Linux sends to us as fast as to Linux, over the same line; the best of some rounds each,
    in turn, so that what else the host does is met by both."""
    data = b"".join(streams.blocks(ROUND_MIB * MIB, 1))
    with echo(apps, LINES[name]), linux(apps, LINES[name]):
        pairs = [(send(OURS, data), send(FAR, data)) for _ in range(ROUNDS)]
    ours, theirs = (min(times) for times in zip(*pairs))
    print(f"{name}: {ROUND_MIB} MiB in {ours:.2f} s to us, {theirs:.2f} s to Linux: {pairs}")
    assert theirs / ours >= SHARE_LEAST, pairs


CASES = {case.__name__: case for case in (clean, loss1, loss5, image, ten_thousand, called, flood,
                                          netcat, nmap, goodput, discard)}


def main(apps, case, *words):
    run("ip link set lo up")
    CASES[case](apps, *words)
    finish()


if __name__ == "__main__":
    main(*sys.argv[1:])
