# SPDX-License-Identifier: BSD-2-Clause
"""Strangers' scripts, where packetdrill and they are (PACKETDRILL=, PD_SCRIPTS=): what has passed
once passes again. docs/tcp.md has the score, and why others do not."""
import pytest

from rig import build
from rig.testing import packetdrill

PASSED = """
blocking/blocking-accept blocking/blocking-connect
close/close-local-close-then-remote-fin close/close-on-syn-sent close/close-remote-fin-then-close
fast_retransmit/fr-4pkt fast_retransmit/fr-4pkt-fack-last-byte fast_retransmit/fr-4pkt-sack
limited_transmit/limited-transmit-no-sack limited_transmit/limited-transmit-sack
mss/mss-getsockopt-tcp_maxseg-server
shutdown/shutdown-rd-close shutdown/shutdown-rdwr-close
shutdown/shutdown-rdwr-send-queue-ack-close
slow_start/slow-start-ack-per-1pkt slow_start/slow-start-ack-per-2pkt
slow_start/slow-start-ack-per-2pkt-send-5pkt
ts_recent/fin_tsval
validate/validate-established-no-flags
""".split()


def test_what_passed_passes(tmp_path):
    why = packetdrill.missing()
    if why:
        pytest.skip(why)
    library = build.build("build", print, [packetdrill.LIBRARY]) / packetdrill.LIBRARY
    packetdrill.make_stand_ins(tmp_path)
    known = {f"{script.parent.name}/{script.stem}": script for script in packetdrill.scripts()}
    failed = {}
    for name in PASSED:
        said = packetdrill.run_both(known[name], library, tmp_path)
        if said is not None:
            failed[name] = said
    assert not failed
