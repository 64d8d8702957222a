# SPDX-License-Identifier: BSD-2-Clause
"""The measuring instrument itself: the traffic program must see every fault there is."""
import struct
import time

import pytest

from echo import Echo
from rig.commands.run import send as send_passes
from rig.measure import judge, passes
from rig.measure.generator import Traffic, TrafficError
from rig.measure.search import highest_kept


@pytest.fixture
def tried(traffic_program, tmp_path):
    """tried(mode=, fault=, **run) -> the answer of one run through a faulty forwarder."""
    def run(mode="mac", fault=None, check_mode=None, rate_pps=4000, frames=2000, **fields):
        with Echo(str(tmp_path), mode, fault) as echo, \
                Traffic(traffic_program, ports=echo.ports) as traffic:
            return traffic.run(rate_pps, frames=frames, mode=check_mode or mode, **fields)
    return run


def faults(answer):
    names = ("lost", "reordered", "corrupt", "duplicates", "foreign")
    return {name: answer[name] for name in names if answer[name]}


@pytest.mark.parametrize("mode", ["io", "mac", "macswap"])
def test_clean_forwarder_has_no_fault(tried, mode):
    answer = tried(mode=mode, lanes="0>1,1>0", sizes="60,61,64,594,1514,9018")
    assert faults(answer) == {}
    assert answer["good"] == answer["offered"] == 2000
    assert 0 < answer["latency_us"]["p50"] <= answer["latency_us"]["p99"]


def test_wrong_addresses_are_corrupt(tried):
    assert tried(mode="io", check_mode="mac")["corrupt"] == 2000

def test_lost_frames_are_counted(tried):
    answer = tried(fault=lambda n, f: [] if n % 100 == 7 else [f])
    assert faults(answer) == {"lost": 20}


def test_duplicates_are_counted(tried):
    answer = tried(fault=lambda n, f: [f, f] if n % 100 == 7 else [f])
    assert faults(answer) == {"duplicates": 20}


@pytest.mark.parametrize("at", [0, 5, 6, 11, 16, 24, 26, 33, 36, 41, 45, 49, 53, 58, 59, 60, 199])
def test_each_changed_byte_is_seen(tried, at):
    def flip(number, frame):
        if number != 1000:
            return [frame]
        return [frame[:at] + bytes([frame[at] ^ 0x10]) + frame[at + 1:]]
    answer = tried(fault=flip, sizes="200")
    assert answer["lost"] == 1
    assert answer["corrupt"] + answer["foreign"] + answer["stale"] == 1


def test_cut_and_grown_frames_are_corrupt(tried):
    assert tried(fault=lambda n, f: [f[:-1]] if n == 9 else [f], sizes="100")["corrupt"] == 1
    assert tried(fault=lambda n, f: [f + b"x"] if n == 9 else [f], sizes="100")["corrupt"] == 1


class SwapPairs:
    """Holds frame 500 back until the next one of its choice has gone."""

    def __init__(self, behind):
        self.behind, self.held = behind, None

    def __call__(self, number, frame):
        if number == 500:
            self.held = frame
            return []
        if number == 500 + self.behind:
            return [frame, self.held]
        return [frame]


def test_order_is_judged_within_a_flow(tried):
    assert faults(tried(flows=4, fault=SwapPairs(behind=4))) == {"reordered": 1}
    assert faults(tried(flows=4, fault=SwapPairs(behind=3))) == {}


def test_foreign_frames_are_told_apart(tried):
    arp = bytes(12) + b"\x08\x06" + bytes(46)
    assert faults(tried(fault=lambda n, f: [f, arp] if n == 3 else [f])) == {"foreign": 1}


def test_full_window_is_not_loss(tried):
    """Nothing ever comes back: the first `window` frames are lost. The rest was never sent: it
    is not lost, and in an open loop it counts against the rate."""
    answer = tried(fault=lambda n, f: [], window=100, quiet_ms=50, open_loop=True)
    assert (answer["sent"], answer["not_sent"], answer["lost"]) == (100, 1900, 100)
    answer = tried(fault=lambda n, f: [], window=100, quiet_ms=50)
    assert (answer["sent"], answer["not_sent"], answer["lost"]) == (100, 0, 100)


def pause_at(number, seconds):
    """A forwarder that is not on a CPU for a while, as a machine on a busy host."""
    def fault(n, frame):
        if n == number:
            time.sleep(seconds)
        return [frame]
    return fault


def test_full_window_holds_the_schedule(tried):
    """A stall that fills the window many times over: every frame is sent, none is lost."""
    answer = tried(fault=pause_at(500, 0.5), window=10, rate_pps=20000)
    assert faults(answer) == {} and answer["not_sent"] == 0
    assert (answer["sent"], answer["good"]) == (2000, 2000)
    assert answer["held_us"] > 0


def test_open_loop_counts_what_was_not_sent(tried):
    answer = tried(fault=pause_at(500, 0.5), window=10, rate_pps=20000, open_loop=True)
    assert faults(answer) == {} and answer["not_sent"] > 0
    assert answer["sent"] + answer["not_sent"] == answer["offered"] == 2000


def test_late_frames_are_not_lost(tried):
    """The last frames come a second late, behind a silence."""
    assert faults(tried(fault=pause_at(1900, 1.0), rate_pps=100000)) == {}


def test_time_limit_sends_fewer(tried):
    """The time is up before the frames are sent: fewer, all judged."""
    answer = tried(rate_pps=1000, frames=100000, limit_ms=300)
    assert faults(answer) == {} and 0 < answer["sent"] < 1000


def test_expired_window_opens_again(tried):
    answer = tried(fault=lambda n, f: [] if 200 <= n < 300 else [f], window=100, expire_ms=20)
    assert (answer["good"], answer["lost"]) == (1900, 100)


@pytest.mark.parametrize("one_in", [500, 2000])
def test_the_thief_is_seen(traffic_program, tmp_path, one_in):
    """The switch that makes the rig drop: what it takes is lost, whoever forwards well."""
    with Echo(str(tmp_path)) as echo, \
            Traffic(traffic_program, ports=echo.ports, drop_one_in=one_in) as traffic:
        answer = traffic.run(20000, frames=2000, quiet_ms=500)
    assert faults(answer) == {"lost": 2000 // one_in}
    assert not judge.clean(answer)


@pytest.mark.parametrize("count", [1, 2, 31, 1024])
def test_burst_comes_back_whole(traffic_program, tmp_path, count):
    with Echo(str(tmp_path)) as echo, Traffic(traffic_program, ports=echo.ports) as traffic:
        assert traffic.burst(count)["good"] == count


def test_probe_times_out(traffic_program, tmp_path):
    with Echo(str(tmp_path), fault=lambda n, f: [] if n < 5 else [f]) as echo, \
            Traffic(traffic_program, ports=echo.ports) as traffic:
        assert traffic.probe(timeout_s=5)["sent"] == 6
    with Echo(str(tmp_path / ".."), fault=lambda n, f: []) as echo, \
            Traffic(traffic_program, ports=echo.ports) as traffic:
        with pytest.raises(TrafficError, match="probes came back"):
            traffic.probe(timeout_s=0.2)


def test_bad_commands_are_refused(traffic_program, tmp_path):
    with Echo(str(tmp_path)) as echo, Traffic(traffic_program, ports=echo.ports) as traffic:
        for fields in ({"sizes": "59"}, {"sizes": "9019"}, {"flows": 0}, {"mode": "x"},
                       {"lanes": "0>7"}, {"lanes": ""}, {"tick_us": 0}, {"window": 0}):
            with pytest.raises(TrafficError):
                traffic.run(1000, frames=1, **fields)
        with pytest.raises(TrafficError):
            traffic.command("nonsense", 5)
        assert traffic.run(1000, frames=10)["good"] == 10


def test_capture_then_replay(traffic_program, tmp_path):
    """What a run captured is what came back, and can be sent again."""
    pcap = tmp_path / "a.pcap"
    with Echo(str(tmp_path)) as echo, Traffic(traffic_program, ports=echo.ports) as traffic:
        traffic.run(2000, frames=50, sizes="60,1514", capture=str(pcap))
        data = pcap.read_bytes()
        assert struct.unpack_from("<IHH", data) == (0xa1b23c4d, 2, 4)
        assert len(data) == 24 + 50 * 16 + 25 * (60 + 1514)
        answer = traffic.replay(pcap, rate_pps=2000, frames=150)
        assert faults(answer) == {} and answer["good"] == 150


def test_replay_sees_loss_and_change(traffic_program, tmp_path):
    pcap = tmp_path / "a.pcap"

    def harm(number, frame):
        if number == 120:
            return []
        return [frame[:-1] + b"\0"] if number == 130 else [frame]
    with Echo(str(tmp_path), fault=harm) as echo, \
            Traffic(traffic_program, ports=echo.ports) as traffic:
        traffic.run(2000, frames=100, sizes="60", capture=str(pcap))
        assert faults(traffic.replay(pcap, rate_pps=2000)) == {"lost": 2, "corrupt": 1}


def test_search_finds_the_edge():
    """A pretended machine that keeps 123 kpps, on a host that stalls in two trials of five."""
    tries = []

    def trial(rate_pps):
        tries.append(rate_pps)
        return rate_pps <= 123000 and len(tries) % 5 not in (0, 2)
    found = highest_kept(trial, low_pps=1000, high_pps=1000000, precision=0.06)
    assert 123000 * 0.90 <= found.rate_pps <= 123000
    assert found.trials == [(rate, (rate <= 123000 and i % 5 not in (0, 2)))
                            for i, rate in enumerate(tries, 1)]
    assert len(tries) < 60 and not found.cut_short


def test_search_of_a_dead_machine_ends():
    assert highest_kept(lambda rate: False, 1000, 1000000).rate_pps == 0


def test_search_ends_with_its_time():
    """What was kept so far stands; without any, 0."""
    left = [True] * 4
    found = highest_kept(lambda rate: rate < 50000, 1000, 1000000, tries=1,
                         more=lambda: bool(left) and left.pop())
    assert found.cut_short and len(found.trials) <= 4
    assert found.rate_pps in (0, *(rate for rate, kept in found.trials if kept))


class SlowTraffic:
    """Forwards 1000 frames a second of a clock that only it moves; loses what it is told to."""

    def __init__(self, monkeypatch, lose_at=0):
        self.now_s, self.lose_at, self.sent = 100.0, lose_at, 0
        monkeypatch.setattr(passes.time, "monotonic", lambda: self.now_s)

    def run(self, rate_pps, frames=None, seconds=1.0, limit_ms=None, **_):
        frames = int(rate_pps * seconds) if frames is None else frames
        frames = min(frames, limit_ms or frames)  # a frame a millisecond
        lost = int(self.sent < self.lose_at <= self.sent + frames)
        self.sent += frames
        self.now_s += frames / 1000
        zero = dict.fromkeys(("reordered", "corrupt", "duplicates", "not_sent", "paused_us"), 0)
        return {**zero, "sent": frames, "good": frames - lost, "lost": lost, "offered": frames,
                "received_pps": 1000, "offered_pps": rate_pps, "closed": False,
                "latency_us": {"p50": 1.0, "p99": 1.0, "max": 1.0}, "histogram": []}

    def flood(self, frames, limit_s, **_):
        return self.run(0, frames=frames, limit_ms=int(1000 * limit_s))


def test_a_rate_is_what_was_really_offered(monkeypatch):
    """The schedule stood still for half of the time: half of the rate was kept, no more."""
    traffic = SlowTraffic(monkeypatch)
    said = []
    one = passes.Passes(traffic, passes.Plan(1000), said.append)
    one.verdict(40)
    plain = traffic.run
    traffic.run = lambda rate_pps, **fields: {**plain(rate_pps, **fields),
                                              "offered_pps": rate_pps / 2}
    one.search()
    most_pps = max(passes.OVER * one.saturated_pps(), 2 * passes.SLOW_PPS) / 2
    assert 0 < one.best_pps <= most_pps
    # the picture and the lines of progress show no other rate than the table
    assert one.best_pps == max(rate for rate, kept in one.trials if kept)
    assert f"rate: {one.best_pps / 1000:7.1f} kpps offered, " in "\n".join(said)
    assert max(rate for rate, _ in one.trials) <= most_pps


def send(monkeypatch, frames, booted_s=10.0, **options):
    traffic = SlowTraffic(monkeypatch, **options)
    plan = passes.Plan(frames, started=traffic.now_s - booted_s)
    one = passes.Passes(traffic, plan, lambda text: None)
    send_passes(one, lambda text: None)
    return one, traffic.now_s - plan.started


@pytest.mark.parametrize("booted_s", [2.0, 10.0, 45.0])
def test_a_slow_host_sends_fewer_frames_in_the_time(monkeypatch, booted_s):
    """The passes end with their time, and each kind has had some of it."""
    one, ended_s = send(monkeypatch, 1000000, booted_s)
    assert 10000 < one.sum["sent"] < 1000000
    assert ended_s <= max(60, booted_s + 22) + passes.PASS_S_MOST
    assert one.rates and one.trials


@pytest.mark.parametrize("lose_at", [1, 4999, 5000])
def test_one_lost_frame_in_any_pass_is_in_the_sum(monkeypatch, lose_at):
    one, _ = send(monkeypatch, 5000, lose_at=lose_at)
    assert one.sum["lost"] == 1 and not judge.clean(one.sum)
    assert one.sum["sent"] == 5000  # nothing more is measured


def test_a_frame_lost_behind_the_verdict_s_passes_counts(monkeypatch):
    """In the search or the latency passes: as much a fault."""
    one, _ = send(monkeypatch, 5000, lose_at=6000)
    assert one.sum["lost"] == 1
