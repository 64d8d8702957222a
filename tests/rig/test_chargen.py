# SPDX-License-Identifier: BSD-2-Clause
"""Bytes that lie elsewhere, over a card, read by Linux (chargen_peer.py). MILLRACE_LONG=1 reads the
whole GiB as well."""
import os
import pathlib

import pytest

PEER = pathlib.Path(__file__).with_name("chargen_peer.py")
CASES = ["some", "stopped", "jumbo", "six", "two_cores"]
CASES += ["whole"] * ("MILLRACE_LONG" in os.environ)


@pytest.mark.parametrize("case", CASES)
def test_chargen(image, case):
    from tests.rig import lan
    lan.need("qemu-system-x86_64", tap=True)
    lan.again_in_namespace(PEER, image("chargen"), case, timeout_s=1200)
