# SPDX-License-Identifier: BSD-2-Clause
"""The application that docs/tcp.md shows, and Linux as its peer (hello_peer.py)."""
import pathlib

PEER = pathlib.Path(__file__).with_name("hello_peer.py")


def test_hello(image):
    from tests.rig import lan
    lan.need("qemu-system-x86_64", tap=True)
    lan.again_in_namespace(PEER, image("hello"))
