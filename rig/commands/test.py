# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace test`: every layer of tests, one total; `fuzz` and `soak`: long runs."""
import dataclasses
import os
import pathlib
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

from .. import build, setup
from ..machine.qemu import Machine
from ..measure import count, judge
from ..measure.generator import Traffic
from ..report import record
from .run import BOTH_WAYS, image_args, pools_full, start_forwarding, stop_machine, traffic_mode

FUZZ_TOTAL_S = 60
RIG_TESTS = build.ROOT / "tests" / "rig"
# Long: software cards in a newer QEMU, Linux and DPDK guests. `./millrace test cards`.
CARD_TESTS = ("test_model.py", "test_ixgbe.py", "test_compare.py")
AGAIN_MOST = 3  # rig tests that failed are run once more; more than that are no accident
ENDED = "pytest ended with"  # stands for a case when pytest itself failed
# variant -> what of it is built: the rig's tests run the first one whole, of the others the unit
# tests run and the image must build, within its limit of size.
UNIT_VARIANTS = {"build": (), "build-clang": ("meson-test-prereq", "apps/l2fwd.img"),
                 "build-hostile": ("meson-test-prereq", "apps/l2fwd.img")}


@dataclasses.dataclass
class Layer:
    """Cases of a layer, or of a part of it."""
    passed: int = 0
    failed: list = dataclasses.field(default_factory=list)   # names
    flaky: list = dataclasses.field(default_factory=list)    # names: failed, then passed
    skipped: list = dataclasses.field(default_factory=list)  # (name, reason)
    output: str = ""                                         # shown when something failed


class Total:
    """Cases of all layers, and what to say of them."""

    def __init__(self, log):
        self.sum = Layer()
        self._log = log

    def add(self, name, layer, seconds):
        self.sum.passed += layer.passed
        self.sum.failed += [f"{name}: {case}" for case in layer.failed]
        self.sum.flaky += [f"{name}: {case}" for case in layer.flaky]
        self.sum.skipped += [(f"{name}: {case}", why) for case, why in layer.skipped]
        if layer.failed and layer.output:
            self._log(layer.output)
        self._log(f"test: {name}: {layer.passed} passed, {len(layer.failed)} failed, "
                  f"{len(layer.flaky)} flaky, {len(layer.skipped)} skipped ({seconds:.0f} s)")

    def finish(self):
        """Names what did not simply pass; the last two lines are the counts."""
        total = self.sum
        for name, why in total.skipped:
            self._log(f"skipped {name}: {why}")
        for name in total.flaky:
            self._log(f"flaky {name}")
        for name in total.failed:
            self._log(f"failed {name}")
        counts = f"{total.passed} passed, {len(total.failed)} failed"
        self._log(f"{counts}, {len(total.flaky)} flaky, {len(total.skipped)} skipped")
        self._log(counts)
        return 1 if total.failed or not total.passed else 0


def _timed(total, name, function):
    """Runs a layer; a layer that cannot run at all is one failure, and the next one runs."""
    begin = time.monotonic()
    try:
        layer = function()
    except (build.BuildError, OSError, subprocess.SubprocessError) as error:
        layer = Layer(failed=["did not run"], output=str(error))
    total.add(name, layer, time.monotonic() - begin)


def unit(total, log):
    """Unit tests with fakes: gcc, clang, hostile build; all with ASan and UBSan."""
    for variant, targets in UNIT_VARIANTS.items():
        def run(variant=variant, targets=targets):
            folder = build.build(variant, log, targets=targets)
            passed, failed, skipped, output = build.run_unit_tests(folder)
            return Layer(passed, failed, skipped=skipped, output=output)
        _timed(total, f"unit {variant}", run)


def analyze(total, log):
    """gcc -fanalyzer over the sources (tests/analyze.py)."""
    script = build.ROOT / "tests" / "analyze.py"
    if not script.exists():
        return

    def run():
        ran = subprocess.run([sys.executable, str(script)], cwd=build.ROOT, check=False,
                             capture_output=True, text=True)
        failed = ["findings"] if ran.returncode else []
        return Layer(1 - len(failed), failed, output=ran.stdout + ran.stderr)
    _timed(total, "analyze", run)


def fuzzers(folder):
    return sorted(path for path in (folder / "tests" / "fuzz").glob("*_fuzz")
                  if os.access(path, os.X_OK))


def _fuzz_one(program, seconds, seed, log):
    """One fuzzer over its corpus; True when it found nothing. New inputs are not kept in the
    tree; a finding is written to results/."""
    name = program.name.removesuffix("_fuzz")
    corpus = build.ROOT / "tests" / "fuzz" / "corpus" / name
    results = build.ROOT / "results"
    work = results / f"fuzz-{name}"
    work.mkdir(parents=True, exist_ok=True)
    command = [str(program), str(work)] + ([str(corpus)] if corpus.is_dir() else [])
    command += [f"-max_total_time={max(1, int(seconds))}", f"-seed={seed}",
                "-print_final_stats=1", f"-artifact_prefix={results}/{name}-"]
    ran = subprocess.run(command, capture_output=True, text=True, errors="replace",
                         check=False, timeout=seconds + 120)
    executed = [line.split()[-1] for line in ran.stderr.splitlines()
                if "number_of_executed_units" in line]
    log(f"fuzz: {name}: {executed[0] if executed else '?'} runs in {seconds:.0f} s, "
        f"seed {seed}: {'nothing found' if ran.returncode == 0 else 'FOUND'}")
    return ran.returncode == 0, ran.stderr[-3000:]


def fuzz_all(total, seconds, seed, log):
    """Every fuzzer, together `seconds` long."""
    def run():
        programs = fuzzers(build.build("build-fuzz", log, targets=["fuzzers"]))
        layer = Layer(failed=[] if programs else ["no fuzzers"])
        for program in programs:
            good, text = _fuzz_one(program, seconds / len(programs), seed, log)
            layer.passed += good
            if not good:
                layer.failed.append(program.name)
                layer.output += text
        return layer
    _timed(total, "fuzz", run)


def pytest_cases(path):
    """A Layer of a JUnit file."""
    layer = Layer()
    for case in ElementTree.parse(path).iter("testcase"):
        name, skipped = f"{case.get('classname')}.{case.get('name')}", case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            layer.failed.append(name)
        elif skipped is not None:
            layer.skipped.append((name, skipped.get("message") or "no reason given"))
        else:
            layer.passed += 1
    layer.failed = list(dict.fromkeys(layer.failed))  # a case and its clean-up may both fail
    return layer


def _node(name):
    """tests.rig.test_x.test_y[z] -> tests/rig/test_x.py::test_y[z]"""
    folder, sub, module, test = name.split(".", 3)
    return str(build.ROOT / folder / sub / f"{module}.py") + "::" + test


def _pytest(folder, environment, words):
    """A Layer of one pytest run."""
    xml = folder / "rig-tests.xml"
    xml.unlink(missing_ok=True)
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider",
         f"--junitxml={xml}", *words],
        cwd=build.ROOT, check=False, env=environment)
    try:
        layer = pytest_cases(xml)
    except (OSError, ElementTree.ParseError):  # it ended before the file did
        return Layer(failed=[f"{ENDED} {ran.returncode}"])
    if ran.returncode not in (0, 1) and not layer.failed:
        layer.failed = [f"{ENDED} {ran.returncode}"]
    return layer


def again(layer, run, log):
    """A few failures are tried once more, each in sight: one that passes then is flaky, neither
    passed nor failed, and has a line of its own at the end. Its cause is to be found."""
    if not layer.passed or not 0 < len(layer.failed) <= AGAIN_MOST or \
            any(name.startswith(ENDED) for name in layer.failed):
        return layer
    log(f"test: rig: once more: {', '.join(layer.failed)}")
    second = run(layer.failed)
    if second.passed + len(second.failed) + len(second.skipped) != len(layer.failed):
        return layer  # it did not run as it should: what failed stays failed
    flaky = [name for name in layer.failed
             if name not in second.failed and name not in dict(second.skipped)]
    return Layer(layer.passed, [name for name in layer.failed if name not in flaky], flaky,
                 layer.skipped, layer.output)


def _side_by_side():
    """Words for pytest: files of tests at a time. A machine under test mostly waits, for its
    boot, for silence, for a period to pass: two share two CPUs well."""
    return ["-n", str(max(2, (os.cpu_count() or 1) // 2)), "--dist", "loadfile"]


def rig(total, log, select=()):
    """The shipped images in QEMU (pytest)."""
    def run():
        folder = build.build("build", log)
        environment = {**os.environ, "MILLRACE_BUILD": str(folder),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        kernel = setup.linux_kernel(str(build.ROOT / "results" / "linux"), log)
        if kernel:
            environment.setdefault("MILLRACE_LINUX", kernel)
        cards = [f"--ignore={RIG_TESTS / name}" for name in CARD_TESTS]
        words = list(select) or [str(RIG_TESTS), *cards, *_side_by_side()]
        return again(_pytest(folder, environment, words),
                     lambda names: _pytest(folder, environment, [_node(n) for n in names]), log)
    _timed(total, "rig", run)


def run_tests(layers, select, log):
    """Runs layers; the last line is `N passed, N failed`, the one before it has the flaky and
    the skipped ones too. Returns the exit status."""
    total = Total(log)
    if "unit" in layers:
        unit(total, log)
        analyze(total, log)
    if "fuzz" in layers:
        fuzz_all(total, FUZZ_TOTAL_S, seed=1, log=log)
    if "rig" in layers:
        rig(total, log, [str(pathlib.Path(word).resolve()) for word in select])
    if "cards" in layers:
        rig(total, log, [str(RIG_TESTS / name) for name in CARD_TESTS])
    return total.finish()


def soak(options, log):
    """Mixed traffic for a long time; stops at the first fault. Rates, sizes, bursts and links
    change by a seed; every trial must be clean."""
    import random
    chance = random.Random(options.seed)
    image = build.find_image(options.build_dir, "l2fwd")
    args = image_args(options.args + " frame_max=9018", options.boot, options.queues, options.nic)
    end = time.monotonic() + options.seconds
    trials = 0
    log(f"soak: {options.seconds:.0f} s, seed {options.seed}, args \"{args}\"")
    with Machine(image, boot=options.boot, args=args, cores=options.cores,
                 nic=options.nic) as machine, \
            Traffic(options.build_dir / "rig" / "traffic", machine, lanes=BOTH_WAYS,
                    mode=traffic_mode(args)) as traffic:
        start_forwarding(machine, traffic, 120)
        host, total = judge.Host([machine], [traffic]), judge.Sum()
        while time.monotonic() < end:
            rate_pps = chance.choice((0, 200, 2000, 10000, 20000))
            seconds = chance.uniform(0.1, 5)
            chosen = {"sizes": chance.choice(("60", "imix", "60-1514", "60-9018")),
                      "flows": chance.choice((1, 16, 1000))}
            if rate_pps == 0:
                answer = traffic.burst(chance.randint(1, 1024), **chosen)
            else:
                answer = traffic.run(rate_pps, seconds=seconds, **chosen)
            trials += 1
            if not judge.clean(total.add(answer)):
                log(f"soak: FAULT in trial {trials} ({rate_pps} pps, {chosen}): {answer}")
                return 1
            if trials % 20 == 0:
                log(f"soak: {trials} trials, {total['sent']} frames, no fault, "
                    f"{end - time.monotonic():.0f} s left")
        share = host.share(total["paused_us"])
        final, pools, code = stop_machine(machine)
    good = code == 0 and pools_full(pools) and final["owner_refusals"] == 0
    log(record.table([
        ("trials", trials), ("frames sent", total["sent"]), ("came back", total["good"]),
        *((name, total[name]) for name in judge.FAULTS), *judge.table_rows(share),
        ("refused hand-overs", final["owner_refusals"]),
        ("pools full at stop", "yes" if pools_full(pools) else "NO"), ("exit code", code)]))
    return 0 if good else 1


def count_table(options, log):
    """`./millrace count`: instructions a packet, by peak and by function."""
    image = build.find_image(options.build_dir, "l2fwd")
    args = image_args(options.args, "direct", nic=options.nic)
    if "tx_descs=" not in args:
        args += f" tx_descs={count.TX_DESCS}"
    counted = count.measure(options.build_dir, image, args, nic=options.nic)
    log(f"  whole turns, {count.PORTS} ports polled, one of them busy, room in the transmit "
        f"ring: {args}")
    log(f"  full burst of {count.BURST}: {counted.per_packet:.2f} instructions a packet "
        f"({counted.full} a turn)")
    log(f"  one packet: {counted.one} a turn; nothing: {counted.empty:.1f} a port; all turns "
        f"that found something: {counted.per_packet_average:.2f} a packet, batch "
        f"{counted.batch_average:.1f}")
    log(f"  hand-over (owner checked and set): {counted.hand_over:.2f}")
    for name, value in counted.functions.items():
        log(f"    {value:8.2f}  {name}")
    return 0
