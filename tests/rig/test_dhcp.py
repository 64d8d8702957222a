# SPDX-License-Identifier: BSD-2-Clause
"""An image that asks for its address, and dnsmasq (dhcp_peer.py)."""
import os
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("dhcp_peer.py")


@pytest.mark.parametrize("case", ["lease", "renewed", "taken", "link", "pxe", "cores"])
def test_dhcp(image, case):
    from tests.rig import lan
    lan.need("dnsmasq", "qemu-system-x86_64", tap=True)
    lan.again_in_namespace(PEER, os.path.splitext(image("echo"))[0], case)
