# SPDX-License-Identifier: BSD-2-Clause
"""Strangers' scripts. Where packetdrill and they are (PACKETDRILL=, PD_SCRIPTS=), what has passed
once passes again; docs/tcp.md has the score, and why others do not. What belongs to us of it is
tested everywhere: the library that packetdrill would drive is driven here, as packetdrill does."""
import multiprocessing
import multiprocessing.pool
import os
import socket
import subprocess

import pytest

from drill import ACK, Drill, FIN, PSH, SYN
from rig import build
from rig.testing import packetdrill

PASSED = """
blocking/blocking-accept blocking/blocking-connect blocking/blocking-read
close/close-local-close-then-remote-fin close/close-on-syn-sent close/close-remote-fin-then-close
cubic/cubic-hystart-delay-min-rtt-jumps-downward
cwnd_moderation/cwnd-moderation-disorder-no-moderation
ecn/ecn-uses-ect0
fast_recovery/prr-ss-10pkt-lost-1 fast_recovery/prr-ss-30pkt-lost-1_4-11_16
fast_recovery/prr-ss-30pkt-lost1_4 fast_recovery/prr-ss-ack-below-snd_una-cubic
fast_retransmit/fr-4pkt fast_retransmit/fr-4pkt-fack-last-byte fast_retransmit/fr-4pkt-sack
limited_transmit/limited-transmit-no-sack limited_transmit/limited-transmit-sack
mss/mss-getsockopt-tcp_maxseg-server mss/mss-setsockopt-tcp_maxseg-client
mss/mss-setsockopt-tcp_maxseg-server
nagle/https_client nagle/sendmsg_msg_more nagle/sockopt_cork_nodelay
sack/sack-route-refresh-ip-tos sack/sack-shift-sacked-2-6-8-3-9-nofack
sack/sack-shift-sacked-7-3-4-8-9-fack sack/sack-shift-sacked-7-5-6-8-9-fack
shutdown/shutdown-rd-close shutdown/shutdown-rd-wr-close shutdown/shutdown-rdwr-close
shutdown/shutdown-rdwr-send-queue-ack-close shutdown/shutdown-rdwr-write-queue-close
shutdown/shutdown-wr-close
slow_start/slow-start-ack-per-1pkt slow_start/slow-start-ack-per-2pkt
slow_start/slow-start-ack-per-2pkt-send-5pkt slow_start/slow-start-ack-per-2pkt-send-6pkt
slow_start/slow-start-ack-per-4pkt slow_start/slow-start-after-idle
slow_start/slow-start-after-win-update slow_start/slow-start-app-limited
slow_start/slow-start-app-limited-9-packets-out
ts_recent/fin_tsval ts_recent/reset_tsval
user_timeout/user_timeout
validate/validate-established-no-flags
""".split()
STATES = """closed listen syn_sent syn_received established fin_wait_1 fin_wait_2 close_wait closing
    last_ack time_wait""".split()
KINDS = "syn syn_ack ack data fin rst rst_near outside".split()
LIMIT_S = 60


@pytest.fixture(scope="module", name="library")
def built_library():
    """The adaptor."""
    return build.build("build", print, [packetdrill.LIBRARY]) / packetdrill.LIBRARY


def in_a_child(test, *arguments, **environment):
    """A process of its own: the library keeps its state, and ends the process at a mistake."""
    def begin():
        os.environ.update(environment)
        test(*arguments)

    child = multiprocessing.get_context("fork").Process(target=begin)
    child.start()
    child.join(LIMIT_S)
    if child.is_alive():
        child.kill()
    assert child.exitcode == 0


# ---- ours ----

def test_every_state_meets_every_kind_of_segment():
    folder = build.ROOT / "tests/packetdrill/scripts/states"
    there = {(path.parent.name, path.stem) for path in folder.rglob("*.pkt")}
    assert there == {(state, kind) for state in STATES for kind in KINDS}


def test_packets_of_a_script_are_found():
    text = """// > P. 1:2(1) ack 1
    +0 > S. 0:0(0) ack 1 <mss 1460>
    +0 < . 1:1(0) ack 1 win 10 <sack 1:2 3:4>
   +0 > P. 1:2001(2000) ack 1
+.3~+.4 > [ect0] . 2001:3001(1000) ack 1
    * > FP. 3001:3005(4) ack 1
    """
    assert packetdrill.cuts(text) == "1:2001:1 2001:3001:0 3001:3005:1"


def test_settings_of_a_script_are_left_in_our_folder(tmp_path):
    packetdrill.make_stand_ins(tmp_path)
    text = "`../common/set_sysctls.py /proc/sys/net/ipv4/tcp_timestamps=0`"
    ours = packetdrill.with_settings(text, tmp_path)
    assert ours == f"`../common/set_sysctls.py {tmp_path}/tcp_timestamps=0`"
    assert (tmp_path / "tcp_timestamps").exists()
    subprocess.run([tmp_path / "sysctl", "-q", "net.ipv4.tcp_ecn=1", "net/ipv4/tcp_rmem=1 2 3"],
                   check=True, env={"MILLRACE_PD_SETTINGS": str(tmp_path)})
    assert (tmp_path / "tcp_ecn").read_text() == "1\n"
    assert (tmp_path / "tcp_rmem").read_text() == "1 2 3\n"


# ---- the library ----

def talk(library, family):
    drill = Drill(library, family)
    began_us = drill.now_us()
    conn, answer = drill.accept(drill.listen())
    assert answer.flags == SYN | ACK and answer.ack == 1
    assert answer.options[:4] == b"\x02\x04\x05\xb4" and answer.family == family
    assert 100000 <= drill.now_us() - began_us < 110000
    assert drill.call("write", conn, b"question", 8) == 8
    asked = drill.take()
    assert (asked.flags, asked.data) == (ACK | PSH, b"question")
    drill.give(ACK | PSH, 1, asked.seq + 8, b"answer")
    assert drill.take().ack == 7  # at once: Linux does so at first
    data = bytes(16)
    assert drill.call("read", conn, data, 16) == 6
    assert data[:6] == b"answer"
    assert drill.call("close", conn) == 0
    assert drill.take().flags == FIN | ACK


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_a_script_of_our_own_through_the_library(library, family):
    in_a_child(talk, library, family)


def blocking_accept(library):
    drill = Drill(library)
    fd = drill.listen()
    pool = multiprocessing.pool.ThreadPool(1)
    waiting = pool.apply_async(drill.call, ("accept", fd, None, None))
    drill.wait_us(1000)
    assert not waiting.ready()
    drill.give(SYN, 0)
    drill.give(ACK, 1, drill.take().seq + 1)
    assert waiting.get(LIMIT_S) > fd


def test_a_call_sleeps_until_the_stack_has_an_answer(library):
    in_a_child(blocking_accept, library)


def loss(library):
    """Ten segments, the first of them lost: what TCP_INFO says meanwhile."""
    drill = Drill(library)
    conn, answer = drill.accept(drill.listen(), b"\x02\x04\x03\xe8\x01\x01\x04\x02", 20000)
    first = answer.seq + 1
    assert drill.info(conn)["snd_cwnd"] == 10
    assert drill.call("write", conn, bytes(10000), 10000) == 10000
    assert [len(drill.take().data) for _ in range(2)] == [9000, 1000]  # as the cuts say
    drill.wait_us(100000)
    sack = b"\x01\x01\x05\x0a" + (first + 1000).to_bytes(4, "big")
    for end in (2000, 3000, 4000):
        drill.give(ACK, 1, first, options=sack + (first + end).to_bytes(4, "big"),
                   window=20000)
    again = drill.take()
    assert (again.seq, len(again.data)) == (first, 1000)
    info = drill.info(conn)
    assert (info["ca_state"], info["sacked"], info["lost"], info["retrans"]) == (3, 3, 1, 1)
    assert (info["unacked"], info["snd_ssthresh"]) == (10, 7)  # CUBIC's


def test_tcp_info_and_cuts(library):
    in_a_child(loss, library, MILLRACE_PD_CUTS="1:9001:1 9001:10001:0 1:1001:0")


def settings(library):
    drill = Drill(library)
    fd = drill.listen()
    assert drill.call("setsockopt", fd, socket.IPPROTO_TCP, socket.TCP_MAXSEG,
                      (1100).to_bytes(4, "little"), 4) == 0
    assert drill.number(fd, socket.IPPROTO_TCP, socket.TCP_MAXSEG) == 1100
    conn, answer = drill.accept(fd, b"\x02\x04\x05\x14\x08\x0a" + bytes(8) + b"\x01\x01")
    assert answer.options == b"\x02\x04\x04\x4c"  # 1100, no timestamps
    assert drill.number(conn, socket.IPPROTO_TCP, socket.TCP_MAXSEG) == 1100
    assert drill.info(conn)["advmss"] == 1100


def test_the_stack_is_set_as_the_script_wants(library, tmp_path):
    (tmp_path / "tcp_timestamps").write_text("0\n")
    in_a_child(settings, library, MILLRACE_PD_SETTINGS=str(tmp_path))


# ---- theirs ----

@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_what_passed_passes(library, tmp_path, family):
    why = packetdrill.missing()
    if why:
        pytest.skip(f"packetdrill itself and its scripts: {why}")
    packetdrill.make_stand_ins(tmp_path)
    known = {packetdrill.name_of(script): script for script in packetdrill.scripts()}
    failed = {}
    for name in PASSED:
        said = packetdrill.run(known[name], library, tmp_path, family)
        if said is not None:
            failed[name] = said
    assert not failed
