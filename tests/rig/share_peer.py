#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""An image on two cores: run by test_share.py as `share_peer.py IMAGE.elf QUEUES` in a namespace
of its own. With two receive queues the card brings a connection to its core; with one, half of
them come by ring.
"""
import hashlib
import pathlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.rig import tap  # noqa: E402  (needs the path above)

OURS, OURS6, PEER6 = "192.168.7.9", "2001:db8::1", "2001:db8::2"
CONNECTIONS, BYTES = 64, 60000
NEWS_MOST = 40  # of neighbours and addresses, while connections are made
WAIT_S = 60


def feed(stream, data):
    stream.sendall(data)
    stream.shutdown(socket.SHUT_WR)


def exchange(address, number):
    """True: all that was sent came back, and then the end."""
    data = random.Random(number).randbytes(BYTES + number)
    got = hashlib.sha256()
    with socket.create_connection((address, 7), timeout=WAIT_S) as stream:
        feeder = threading.Thread(target=feed, args=(stream, data))
        feeder.start()
        while piece := stream.recv(65536):
            got.update(piece)
        feeder.join()
    return got.digest() == hashlib.sha256(data).digest()


def many(address):
    """Connections that are open at the same time; none is refused."""
    good = [False] * CONNECTIONS

    def one(number):
        good[number] = exchange(address, number)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(good), [i for i, g in enumerate(good) if not g]


def counters(console):
    """{core: {name: value}} of the stacks, by the command `net`."""
    start = len(console.lines)
    console.send("net")
    console.wait_for(r"net core=0 port=0 ip=", 10, since=start)
    console.send("pools")  # its answer follows all of net's
    console.wait_for(r"pool name=", 10, since=start)
    found = {0: {}, 1: {}}
    for line in console.lines[start:]:
        if match := re.fullmatch(r"net core=(\d) (\w+)=(\d+)", line.strip()):
            found[int(match.group(1))][match.group(2)] = int(match.group(3))
    return found


def gained(after, before, core, name):
    return after[core].get(name, 0) - before[core].get(name, 0)


def check_streams(console, address, queues, by_port):
    """Both cores serve; what comes by ring is what must."""
    before = counters(console)
    many(address)
    after = counters(console)
    opens = [gained(after, before, core, "tcp_passive_opens") for core in (0, 1)]
    assert sum(opens) == CONNECTIONS and min(opens) > 0, opens
    for core in (0, 1):
        assert gained(after, before, core, "tcp_estab_resets") == 0, core
        assert gained(after, before, core, "tcp_attempt_fails") == 0, core
    passed = gained(after, before, 0, "share_out") + gained(after, before, 1, "share_out")
    if queues == 1:
        assert passed > opens[1] * 10, (passed, opens)
    elif by_port:
        assert passed < NEWS_MOST, passed  # software hashes as the card does


def talk(ends):
    """Connections one after the other, until the machine ends."""
    while not ends.is_set():
        try:
            with socket.create_connection((OURS, 7), timeout=5) as stream:
                for _ in range(50):
                    stream.sendall(b"still here" * 300)
                    stream.recv(3000)
        except OSError:
            pass  # refused, or reset: it is over


def stop_amid_traffic(machine):
    """Every buffer comes home, though each core has some of the other's."""
    ends = threading.Event()
    threads = [threading.Thread(target=talk, args=(ends,)) for _ in range(16)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    try:
        stop_amid_traffic(machine)
    finally:
        ends.set()
    for thread in threads:
        thread.join()


def pings(address, size):
    done = subprocess.run(["ping", "-n", "-c", "4", "-i", "0.2", "-s", str(size), address],
                          capture_output=True, text=True, timeout=WAIT_S, check=False)
    assert "4 received" in done.stdout, done.stdout


def main(elf, queues):
    tap.make()
    tap.run(f"ip addr add {PEER6}/64 dev tap0 nodad")
    with tempfile.TemporaryDirectory() as folder:
        machine = tap.Machine(
            pathlib.Path(folder), "-smp", "2", "-kernel", elf, "-append",
            f"ports=1 queues={queues} ip={OURS}:::255.255.255.0 ip6=auto,{OURS6}/64"
            " promiscuous=off")
        for address in (OURS, OURS6):
            machine.console.wait_for(rf"net port=0 ip={address}\S* state=ready", 20, since=0)
        check_streams(machine.console, OURS, queues, True)
        check_streams(machine.console, OURS6, queues, False)
        for address in (OURS, OURS6):
            pings(address, 56)
            pings(address, 3000)
        machine.console.send("net")
        for core in (0, 1):
            machine.console.wait_for(rf"net core={core} port=0 ip={OURS}/24 ", 10)
        machine.stop()
    tap.finish()


main(sys.argv[1], int(sys.argv[2]))
