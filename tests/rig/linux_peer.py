#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Linux as the peer of an image with a network stack: a TAP interface in a namespace of our own.

Run by test_net.py as `unshare -rn linux_peer.py IMAGE.elf`; prints a line for each case, `ok NAME`
or `failed NAME: why`, then the image's exit code.
"""
import hashlib
import ipaddress
import os
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from rig.machine.console import Console  # noqa: E402  (needs the path above)

OURS, PEER, PORT = "192.0.2.1", "192.0.2.2", 7
OURS6, PEER6 = "2001:db8::1", "2001:db8::2"
PATIENCE = 6  # waits say what an idle host needs
WAIT_S = 10 * PATIENCE
LINK_LOCAL, CONSOLE = [], []  # known when it has booted


def make_tap():
    for words in ("link set lo up", "tuntap add tap0 mode tap", f"addr add {PEER}/24 dev tap0",
                  f"addr add {PEER6}/64 dev tap0 nodad",
                  "link set tap0 up"):
        subprocess.run(["ip", *words.split()], check=True)


def boot(elf):
    command = ["qemu-system-x86_64", "-cpu", "max", "-m", "256", "-nographic", "-no-reboot",
               "-kernel", elf, "-append", f"ports=1 ip={OURS}:::255.255.255.0 ip6=auto,{OURS6}/64"
               " promiscuous=off",
               "-netdev", "tap,id=n0,ifname=tap0,script=no,downscript=no",
               "-device", "e1000e,netdev=n0"]
    machine = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    console = Console(machine.stdout.fileno(), machine.stdin.fileno(), patience=PATIENCE)
    console.wait_for(r"echo state=listening", 20)
    for address in (OURS, OURS6, "fe80::"):
        console.wait_for(rf"net port=0 ip={address}\S* state=ready", 10, since=0)
    return machine, console


def ping(*words, to=OURS):
    done = subprocess.run(["ping", "-n", *words, to], capture_output=True, text=True,
                          timeout=WAIT_S, check=False)
    received = re.search(r"(\d+) received", done.stdout)
    return int(received.group(1)) if received else -1


def case_ping():
    """Small packets and full ones."""
    assert ping("-c", "5", "-i", "0.2") == 5
    assert ping("-c", "3", "-i", "0.2", "-s", "1472", "-M", "do") == 3


def link_local(console):
    """The image's link-local address, as it says it."""
    line = console.wait_for(r"net port=0 ip=(fe80::\S+) state=ready", 1, since=0)
    return f"{line.group(1)}%tap0"


def case_fragments():
    """Longer than a packet, and as long as there may be one: whole, in pieces, both ways."""
    for to in (OURS, OURS6):
        assert ping("-c", "3", "-i", "0.2", "-s", "2000", to=to) == 3, to
        assert ping("-c", "2", "-i", "0.5", "-s", "65507", to=to) == 2, to


def case_ping6():
    """IPv6: neighbours are found by groups that the card was told of."""
    assert ping("-c", "5", "-i", "0.2", to=OURS6) == 5
    assert ping("-c", "3", "-i", "0.2", "-s", "1452", "-M", "do", to=OURS6) == 3
    assert ping("-c", "3", "-i", "0.2", to=LINK_LOCAL[0]) == 3


def case_echo6():
    for to in (OURS6, LINK_LOCAL[0]):
        for size in (0, 1, 1427, 1428, 1429, 65536, 3 << 20):
            data = random.Random(size).randbytes(size)
            with socket.create_connection((to, PORT), timeout=WAIT_S) as conn:
                assert exchange(conn, data) == hashlib.sha256(data).digest(), (to, size)


def advertise(prefix):
    """As a router of the link: the prefix is on it, and addresses may be made of it."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as router:
        router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF,
                          socket.if_nametoindex("tap0"))
        option = struct.pack("!BBBBIII16s", 3, 4, 64, 0xc0, 3600, 1800, 0,
                             socket.inet_pton(socket.AF_INET6, prefix))
        router.sendto(struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0) + option,
                      ("ff02::1", 0))


def case_slaac():
    """An advertised prefix becomes an address, by which we are found."""
    subprocess.run("ip addr add 2001:db8:5::2/64 dev tap0 nodad".split(), check=True)
    ours = int(ipaddress.IPv6Address(LINK_LOCAL[0].split("%")[0])) & (1 << 64) - 1
    address = str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("2001:db8:5::")) | ours))
    advertise("2001:db8:5::")
    assert CONSOLE[0].wait_for(rf"net port=0 ip={address} state=ready", 10)
    assert ping("-c", "3", "-i", "0.2", to=address) == 3


def case_refused6():
    try:
        socket.create_connection((OURS6, 10), timeout=WAIT_S).close()
    except ConnectionRefusedError:
        return
    raise AssertionError("connected")


def connect():
    return socket.create_connection((OURS, PORT), timeout=WAIT_S)


def feed(conn, data):
    conn.sendall(data)
    conn.shutdown(socket.SHUT_WR)


def exchange(conn, data):
    """Sends all and reads what comes back, at once; the hash of it."""
    feeder = threading.Thread(target=feed, args=(conn, data))
    feeder.start()
    got = hashlib.sha256()
    while True:
        piece = conn.recv(65536)
        if not piece:
            break
        got.update(piece)
    feeder.join()
    return got.digest()


def case_echo_sizes():
    """Every length around what fits a segment comes back as it was, then the end."""
    for size in (0, 1, 2, 3, 535, 536, 537, 1447, 1448, 1449, 2896, 65535, 65536, 300001):
        data = random.Random(size).randbytes(size)
        with connect() as conn:
            assert exchange(conn, data) == hashlib.sha256(data).digest(), size


def case_echo_large():
    data = random.Random(1).randbytes(8 << 20)
    with connect() as conn:
        assert exchange(conn, data) == hashlib.sha256(data).digest()


def case_many_at_once():
    """A hundred connections, each with its own bytes."""
    def one(number):
        data = random.Random(number).randbytes(10000 + number)
        with connect() as conn:
            good[number] = exchange(conn, data) == hashlib.sha256(data).digest()
    good = [False] * 100
    threads = [threading.Thread(target=one, args=(i,)) for i in range(len(good))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(good), [i for i, g in enumerate(good) if not g]


def case_refused():
    """Nobody listens: an answer at once, not silence."""
    try:
        socket.create_connection((OURS, 10), timeout=WAIT_S).close()
    except ConnectionRefusedError:
        return
    raise AssertionError("connected")


def case_reset():
    """A client that breaks off costs nothing: others go on."""
    for _ in range(20):
        conn = connect()
        conn.sendall(b"x" * 5000)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
    case_ping()


def case_no_reader():
    """A client that does not read closes our window to it, and opens it again."""
    data = random.Random(2).randbytes(2 << 20)
    with connect() as conn:
        conn.settimeout(0.5)
        sent = 0
        try:
            while sent < len(data):
                sent += conn.send(data[sent:sent + 65536])
        except TimeoutError:
            pass  # all windows are full
        conn.settimeout(WAIT_S)
        assert exchange(conn, data[sent:]) == hashlib.sha256(data).digest()


CASES = (case_ping, case_fragments, case_ping6, case_echo6, case_slaac, case_refused6,
         case_echo_sizes, case_echo_large, case_many_at_once, case_refused, case_reset,
         case_no_reader)


def run_case(case):
    name = case.__name__.removeprefix("case_")
    try:
        case()
    except Exception as error:  # whatever it is, the next case is run, too
        print(f"failed {name}: {type(error).__name__} {error}", flush=True)
    else:
        print(f"ok {name}", flush=True)


def main():
    make_tap()
    machine, console = boot(sys.argv[1])
    LINK_LOCAL.append(link_local(console))
    CONSOLE.append(console)
    for case in CASES:
        run_case(case)
    console.send("net")
    for address in (f"{OURS}/24 ", f"{OURS6}/64", "fe80::"):
        console.wait_for(rf"net core=0 port=0 ip={address}", 10)
    console.send("stop")
    line = console.wait_for(r"exit code=(\d+)", 10)
    machine.wait(timeout=WAIT_S)
    for text in console.lines:
        if text.startswith(("net ", "pool ", "stat port")):
            print(text)
    print(f"exit {line.group(1)}", flush=True)
    os._exit(0)  # the console's thread needs no end


main()
