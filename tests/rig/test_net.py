# SPDX-License-Identifier: BSD-2-Clause
"""Images with a network stack, and Linux at the other end of the wire (linux_peer.py)."""
import os
import pathlib
import subprocess
import sys

import pytest

PEER = pathlib.Path(__file__).with_name("linux_peer.py")
CARDS_PEER = pathlib.Path(__file__).with_name("cards_peer.py")
LIMIT_S = 600
CASES = ("ping", "fragments", "ping6", "echo6", "slaac", "refused6", "echo_sizes", "echo_large",
         "many_at_once", "refused", "reset", "no_reader")


@pytest.fixture(scope="module")
def peer(image):
    """What each case said, and the exit code of the image; booted once for all."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun may not be opened here")
    if subprocess.run(["unshare", "-rn", "true"], check=False).returncode != 0:
        pytest.skip("no user namespaces here")
    done = subprocess.run(["unshare", "-rn", sys.executable, str(PEER), image("echo")],
                          capture_output=True, text=True, timeout=LIMIT_S, check=False)
    print(done.stdout, done.stderr)
    return done.stdout.splitlines()


@pytest.mark.parametrize("case", CASES)
def test_linux_echo(peer, case):
    said = [line for line in peer if line.split(":")[0].split(" ")[-1] == case]
    assert said == [f"ok {case}"], "\n".join(peer)


@pytest.mark.parametrize("cores", ["1", "2"])
def test_streams_over_e1000e(image, cores):
    """16 MiB each way, IPv4 and IPv6."""
    from tests.rig import lan
    lan.need("ping", tap=True)
    lan.again_in_namespace(CARDS_PEER, image("echo"), "e1000e", cores, timeout_s=LIMIT_S)


def test_all_buffers_home(peer):
    assert peer[-1] == "exit 0", "\n".join(peer)
