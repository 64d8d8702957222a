# SPDX-License-Identifier: BSD-2-Clause
"""The application that docs/tcp.md shows, and Linux as its peer (hello_peer.py)."""
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("hello_peer.py")


@pytest.mark.parametrize("case", ["plain", "jumbo", "two_ports", "two_cores", "stop"])
def test_hello(image, case):
    from tests.rig import lan
    lan.need("qemu-system-x86_64", tap=True)
    lan.again_in_namespace(PEER, image("echo" if case == "stop" else "hello"), case)
