# SPDX-License-Identifier: BSD-2-Clause
"""The hostile image (-Dhostile=true) under traffic on both cards: pools of at most 128 buffers,
takes that fail at random, indexes and counters that start just before they wrap, free buffers
poisoned, structures checked. What does not come back was counted by the image; nothing that comes
back is damaged; every buffer is home in the end."""
import pytest

from rig import build
from rig.measure.generator import Traffic
from rig.measure.image import pools_full, stop_machine

FRAMES = 10000
SMALL = "rx_descs=32 tx_descs=32"
LARGE_BYTES = 5000  # three buffers a frame
DAMAGE = ("reordered", "corrupt", "duplicates", "not_sent")


@pytest.fixture(scope="session")
def hostile_image():
    return build.find_image(build.build("build-hostile", targets=("apps/l2fwd.elf",)), "l2fwd")


@pytest.fixture(params=["e1000e", "ixgbe"])
def hostile(forwarding, hostile_image, build_dir, request):
    """hostile(args) -> Forwarding, on two cores of the hostile image. The server of the software
    card is not in the hostile build."""
    card = {"nic": request.param}
    if request.param == "ixgbe":
        request.getfixturevalue("vfio_qemu")
        card["cards"] = str(build_dir / "model" / "millrace-nic82599")

    def start(args=""):
        rig = forwarding(args=f"{SMALL} {args}", cores=2, image=hostile_image, **card)
        assert rig.console.find(r"^pool hostile=on seed=")
        return rig
    return start


def dropped(report):
    """Frames that the image says it dropped, for whatever reason."""
    return sum(sum(port["drops"].values()) for port in report["ports"])


def test_mixed_frames(hostile):
    """Many at a time, so that small rings are full; then bursts with silence between, which come
    by interrupt."""
    rig = hostile()
    answer = rig.traffic.run(5000, frames=FRAMES, sizes="60-1514", flows=64)
    assert not any(answer[name] for name in DAMAGE), answer
    bursts = rig.traffic.bursts(first=1, last=50)
    assert bursts["other_faults"] == 0, bursts
    report = rig.stop_clean()
    assert answer["lost"] + bursts["left"] == dropped(report), (answer, bursts, report["ports"])
    assert answer["good"] > FRAMES / 2 and sum(core["irqs"] for core in report["cores"]) > 0


def test_frames_of_three_buffers(hostile):
    """They take the way of odd frames, received and sent."""
    rig = hostile(f"frame_max={LARGE_BYTES}")
    answer = rig.traffic.run(5000, frames=FRAMES, sizes=f"60,{LARGE_BYTES}", window=16)
    assert not any(answer[name] for name in DAMAGE), answer
    report = rig.stop_clean()
    assert answer["lost"] == dropped(report), (answer, report["ports"])
    assert answer["good"] > FRAMES / 2


def test_frames_of_its_own(machine, hostile_image, traffic_program):
    """Each takes a buffer, and one take in sixteen fails: that is counted, and the frame is sent
    in a later turn. The same with any card."""
    one = machine(hostile_image, args=f"{SMALL} mode=txonly tx_count={FRAMES}")
    with Traffic(traffic_program, one) as traffic:
        ports = traffic.sink(3000)
        report, pools, code = stop_machine(one)
    assert all(port["frames"] == FRAMES for port in ports), ports
    assert all(port["drops"]["pool_empty"] > FRAMES / 100 for port in report["ports"]), report
    assert pools_full(pools) and (report["owner_refusals"], code) == (0, 0), pools
