# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench tcp`: what is taken off a count, and what is refused."""
import shutil

import pytest

from rig.build import ROOT
from rig.commands import bench_tcp
from rig.measure import callgrind

COUNTED = f"""\
fl={ROOT}/tcp/net.c
fn=net_input
10 700
fi={ROOT}/tcp/../tcp/chain.h
20 100
fe={ROOT}/tcp/net.c
11 50
cfi={ROOT}/compare/tcp/app.c
cfn=received
calls=10 5
12 900
cfn=link_send
calls=10 5
13 400

fl={ROOT}/compare/tcp/app.c
fn=received
30 80
fi={ROOT}/mempool/include/mempool/take.h
31 20
fe={ROOT}/compare/tcp/app.c
cfi={ROOT}/tcp/tcp/api.c
cfn=tcp_try_send
calls=10 5
32 800

fl={ROOT}/tcp/tcp/api.c
fn=tcp_try_send
40 800

fl={ROOT}/compare/tcp/link.c
fn=link_send
50 300
cfn=buf_sent
calls=10 5
51 100

fl={ROOT}/mempool/ext.c
fn=buf_sent
60 100

fl={ROOT}/compare/tcp/main.c
fn=measured
70 30
cfn=net_input
calls=10 5
71 2000
cfn=link_receive
calls=10 5
72 250

fl=./string/memcpy.S
fn=__memcpy_avx
80 200

fl={ROOT}/compare/tcp/link.c
fn=link_receive
90 50
cfn=__memcpy_avx
calls=10 5
91 200
"""


def test_link_application_and_harness_are_taken_off():
    """With all below the link, and only its own lines of the application."""
    profile = callgrind.read(COUNTED)
    assert profile.total == 700 + 100 + 50 + 80 + 20 + 800 + 300 + 100 + 30 + 200 + 50
    share = callgrind.split(profile, 10, app=("compare/tcp/app.c",),
                            harness=("compare/tcp/main.c",))
    assert share.link == (400 + 250) / 10
    assert share.app == 8 and share.harness == 3
    assert share.stack == (profile.total - 650 - 80 - 30) / 10
    assert share.parts["tcp/net.c"] == 75 and share.parts["tcp/chain.h"] == 10
    assert share.parts["tcp/tcp/api.c"] == 80
    assert sum(share.parts.values()) == share.stack


def rows(instructions, copied=0.0):
    """One row of ours and of lwIP's bulk."""
    one = {"stack": "ours", "mode": "requests", "conns": 1, "all": 1,
           "instructions": instructions, "copied_bytes": copied, "conn_bytes": 300.0}
    bulk = {**one, "mode": "bulk", "instructions": 1000.0}
    return [one, bulk, {**bulk, "stack": "lwip", "instructions": 3000.0, "copied_bytes": None}]


def test_promises():
    """Each limit is said by name when it is missed, and fails the command."""
    said = []
    assert bench_tcp.judge(bench_tcp.keys(rows(1400.0), {}), said.append) and not said
    assert not bench_tcp.judge(bench_tcp.keys(rows(1401.0), {}), said.append)
    assert "ours_instr_1 is 1401, limit 1400" in said.pop()
    assert not bench_tcp.judge(bench_tcp.keys(rows(1400.0, 1448.0), {}), said.append)
    assert "2896 payload bytes were copied" in said.pop()  # of both rows
    touched = {"client": 16.1, "server": 12.0}
    assert not bench_tcp.judge(bench_tcp.keys(rows(1400.0), touched), said.append)
    assert "ours_lines_client is 16.1" in said.pop()


def test_keys_are_there_though_nothing_was_measured():
    """A quick run has no row with 100,000 connections."""
    found = bench_tcp.keys(rows(1300.0), {})
    assert found["ours_instr_100k"] is None and found["ours_instr_1"] == 1300.0
    assert round(found["ours_bulk_instr"], 1) == round(1000 * 1460 / 1448, 1)
    for name in ("ours_instr_1", "ours_instr_100k", "lwip_instr_1", "lwip_instr_64",
                 "ours_payload_bytes_copied", "ours_bulk_instr", "lwip_bulk_instr",
                 "ours_connections_per_s", "idle_conn_bytes"):
        assert name in found


def test_a_trace_that_fails_is_no_result(tmp_path):
    """No program is there: nothing was counted, and nothing is within its limit."""
    with pytest.raises(bench_tcp.TcpBenchError, match="trace of memory failed"):
        bench_tcp.lines(tmp_path)


@pytest.mark.skipif(not shutil.which("valgrind"), reason="valgrind is not there")
def test_a_program_that_counts_nothing_is_no_result(tmp_path):
    """Built without valgrind's header, all of it would be within every limit."""
    with pytest.raises(callgrind.CountError, match="counted nothing"):
        callgrind.run(["true"], tmp_path / "counts")


def test_fields():
    """Numbers are numbers, words stay words."""
    assert bench_tcp.fields("pool name=x\nresult mode=bulk conns=1 version=2.1.3\n") == {
        "mode": "bulk", "conns": 1.0, "version": "2.1.3"}
