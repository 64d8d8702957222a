# SPDX-License-Identifier: BSD-2-Clause
"""The echo image on software 82599 cards, and Linux as its peer (cards_peer.py); test_net.py has
the same over e1000e."""
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("cards_peer.py")
LIMIT_S = 600


@pytest.mark.parametrize("cores", ["1", "2"])
@pytest.mark.usefixtures("vfio_qemu")
def test_streams_over_ixgbe(image, build_dir, cores):
    """16 MiB each way, IPv4 and IPv6."""
    from tests.rig import lan
    lan.need("ping", tap=True)
    lan.again_in_namespace(PEER, image("echo"), "ixgbe", cores,
                           build_dir / "model" / "millrace-nic82599", timeout_s=LIMIT_S)
