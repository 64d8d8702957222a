# SPDX-License-Identifier: BSD-2-Clause
"""Frame sizes, address modes, replay of captures."""
import struct

import pytest

from rig.measure.judge import clean


@pytest.mark.parametrize("mode", ["io", "mac", "macswap"])
def test_sizes_of_ethernet(forwarding, mode):
    rig = forwarding(args=f"mode={mode}")
    assert clean(rig.traffic.run(5000, frames=6400, sizes="60-1514"))
    assert clean(rig.traffic.run(5000, frames=5000, sizes="imix"))
    rig.stop_clean()


def test_jumbo_frames(forwarding):
    """Every size of chained buffers, and the edges: a buffer has 2048 bytes of data."""
    rig = forwarding(args="frame_max=9018")
    assert clean(rig.traffic.run(2000, frames=3200, sizes="60-9018"))
    edges = "60,61,2047,2048,2049,4095,4096,4097,6143,6144,6145,8191,8192,8193,9017,9018"
    assert clean(rig.traffic.run(2000, frames=3200, sizes=edges))
    assert rig.traffic.bursts(1, 64, sizes=edges)["left"] == 0
    rig.stop_clean()


@pytest.mark.parametrize("frame_max, sizes", [(None, "9018"), (None, "1600"), (1000, "1005-1514"),
                                              (1600, "1605,2047,2048"), (2040, "2045,2049")])
def test_frames_too_long_are_dropped_and_counted(forwarding, frame_max, sizes):
    """Once, at the port where they came in, and by name; the other port has nothing to say."""
    rig = forwarding(args=f"frame_max={frame_max}" if frame_max else "")
    before = rig.report()["ports"]
    answer = rig.traffic.run(1000, frames=100, sizes=sizes, lanes="0>1", quiet_ms=200)
    assert answer["good"] == 0 and answer["corrupt"] == 0
    in_port, out_port = rig.report()["ports"]
    dropped = in_port["rx_length_errors"] + in_port["drops"]["rx_too_long"]
    assert dropped - before[0]["rx_length_errors"] == 100, in_port
    assert in_port["rx_packets"] == before[0]["rx_packets"]
    assert sum(in_port["drops"].values()) + in_port["rx_length_errors"] == 100, in_port
    assert sum(out_port["drops"].values()) == 0, out_port
    mark = rig.console.mark()
    rig.console.send("stats")
    name = "rx_too_long" if in_port["drops"]["rx_too_long"] else "card_length"
    rig.console.wait_for(rf"^stat port=0 drop={name} packets=100", 3, since=mark)
    assert clean(rig.traffic.run(5000, frames=3000))
    rig.stop_clean()


def test_mac_update_off(forwarding):
    rig = forwarding(args="mac_update=off")
    assert clean(rig.traffic.run(5000, frames=2000))


def write_pcap(path, frames):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
        for i, frame in enumerate(frames):
            file.write(struct.pack("<IIII", i, 0, len(frame), len(frame)) + frame)


ADDRESSES = bytes.fromhex("52540000aabb" "52540000ccdd")


def odd_frames():
    """What is on real networks beside UDP: ARP, VLAN tags, IPv6, broadcast, LLDP, length
    fields, wrong IP checksums, bytes of rubbish."""
    rubbish = bytes((i * 89 + 7) & 255 for i in range(1400))
    broadcast = b"\xff" * 6 + ADDRESSES[6:]
    yield broadcast + b"\x08\x06" + bytes.fromhex("0001080006040001") + bytes(20)
    yield ADDRESSES + b"\x81\x00\x00\x64\x08\x00" + b"\x45" + bytes(41)
    yield ADDRESSES + b"\x88\xa8\x00\x0a\x81\x00\x00\x64\x08\x00" + b"\x45" + bytes(60)
    # A payload length of 0 (a jumbogram) would be "mended" by QEMU's card: 68 is right here.
    yield ADDRESSES + b"\x86\xdd\x60" + bytes(3) + b"\x00\x44\x3a\x40" + rubbish[:100]
    yield bytes.fromhex("0180c200000e") + ADDRESSES[6:] + b"\x88\xcc" + rubbish[:60]
    yield bytes.fromhex("01005e000001") + ADDRESSES[6:] + b"\x08\x00\x45" + rubbish[:80]
    yield ADDRESSES + b"\x00\x2e" + rubbish[:46]
    yield ADDRESSES + b"\x08\x00\x4f" + rubbish[:200]
    yield ADDRESSES + b"\x08\x00\x45" + b"\xff" * 19 + rubbish
    yield ADDRESSES + b"\x88\x47" + rubbish[:500]
    for size in (60, 61, 63, 64, 127, 128, 1513, 1514):
        yield ADDRESSES + b"\x99\x99" + rubbish[:size - 14] + bytes(max(0, size - 1414))


@pytest.mark.parametrize("args", ["mode=io", "mode=mac", "mode=macswap",
                                  "mode=io rx_checksum=on", "mode=io vlan_strip=on"])
def test_replayed_capture(forwarding, tmp_path, args):
    """Frames of every kind come out as they went in, addresses apart."""
    path = tmp_path / "odd.pcap"
    frames = list(odd_frames())
    write_pcap(path, frames)
    rig = forwarding(args=args)
    answer = rig.traffic.replay(path, rate_pps=2000, frames=20 * len(frames), lanes="0>1")
    assert clean(answer), answer
    assert answer["good"] == 20 * len(frames)
    rig.stop_clean()


def test_short_frames_come_out_padded(forwarding, tmp_path):
    path = tmp_path / "short.pcap"
    write_pcap(path, [ADDRESSES + b"\x99\x99" + bytes(range(n)) for n in (0, 1, 20, 45)])
    rig = forwarding(args="mode=io")
    assert clean(rig.traffic.replay(path, rate_pps=100, lanes="0>1"))
