# SPDX-License-Identifier: BSD-2-Clause
"""An image on two cores with one address, and Linux as its peer (share_peer.py)."""
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("share_peer.py")


@pytest.mark.parametrize("queues", [1, 2])
def test_two_cores_one_address(image, queues):
    from tests.rig import lan
    lan.need("qemu-system-x86_64", "ping", tap=True)
    lan.again_in_namespace(PEER, image("echo"), str(queues))
