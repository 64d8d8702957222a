# SPDX-License-Identifier: BSD-2-Clause
"""l2fwd as a Linux process between two TAP interfaces, each in a namespace of its own:
tap_ping.py L2FWD. Pings go through it, then it stops with every buffer home."""
import os
import subprocess
import sys
import time

SKIP = 77  # Meson: not run, and the line before says why
PINGS = 50
DEADLINE_S = 30

PING = r"""
import os, select, socket, struct, sys, time
def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
for number in range(int(sys.argv[2])):
    payload = bytes((number + i) & 255 for i in range(1400 if number % 2 else 56))
    echo = struct.pack("!BBHHH", 8, 0, 0, 0x4d52, number) + payload
    echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
    end = time.monotonic() + float(sys.argv[3])
    sock.sendto(echo, (sys.argv[1], 0))
    while True:
        if not select.select([sock], [], [], max(0, end - time.monotonic()))[0]:
            sys.exit(f"ping {number} was not answered")
        answer = sock.recv(2000)[20:]
        if answer[0] == 0 and answer[4:] == echo[4:]:
            break
"""


def skip(reason):
    print(f"skip: {reason}")
    sys.exit(SKIP)


def run(*command):
    subprocess.run(command, check=True, timeout=DEADLINE_S)


def enter_namespace():
    """Runs this program again as root of a namespace of its own."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("/dev/net/tun is not there")
    tried = subprocess.run(["unshare", "-rn", "ip", "link"], capture_output=True, check=False)
    if tried.returncode != 0:
        skip(f"no namespace of one's own: {tried.stderr.decode().strip()}")
    os.execvp("unshare", ["unshare", "-rn", sys.executable, __file__, sys.argv[1], "inside"])


def wait_for(forwarder, text):
    """Lines of the console up to one with this text."""
    seen = []
    for line in forwarder.stdout:
        seen.append(line)
        if text in line:
            return seen
    sys.exit(f"no {text!r} in:\n{''.join(seen)}")


def place(interface, address):
    """A process that keeps a namespace, with the interface in it."""
    keeper = subprocess.Popen(["unshare", "-n", "sleep", str(2 * DEADLINE_S)])
    own, end = os.readlink("/proc/self/ns/net"), time.monotonic() + DEADLINE_S
    while os.readlink(f"/proc/{keeper.pid}/ns/net") == own:
        if time.monotonic() > end:
            sys.exit("unshare made no namespace")
        time.sleep(0.01)
    run("ip", "link", "set", interface, "netns", str(keeper.pid))
    inside = ("nsenter", "-t", str(keeper.pid), "-n")
    run(*inside, "ip", "address", "add", address + "/24", "dev", interface)
    run(*inside, "ip", "link", "set", interface, "up")
    return keeper, inside


def main():
    if len(sys.argv) == 2:
        enter_namespace()
    forwarder = subprocess.Popen(
        [sys.argv[1], "ports=(tap:left,tap:right)", "mode=io", "cores=1", "poll=adaptive"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    keepers = []
    try:
        wait_for(forwarder, "state=forwarding")
        left, inside = place("left", "10.77.0.1")
        keepers.append(left)
        keepers.append(place("right", "10.77.0.2")[0])
        run(*inside, sys.executable, "-c", PING, "10.77.0.2", str(PINGS), str(DEADLINE_S / 2))
        forwarder.stdin.write("stop\n")
        forwarder.stdin.flush()
        lines = wait_for(forwarder, "exit code=")
        assert "exit code=0" in lines[-1], lines
        assert any("missing=0" in line for line in lines), lines
    finally:
        for process in [forwarder, *keepers]:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
