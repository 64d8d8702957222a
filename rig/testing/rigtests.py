# SPDX-License-Identifier: BSD-2-Clause
"""The shipped images in QEMU (pytest)."""
import os
import pathlib
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from .. import build, setup
from .outcome import Layer, timed

RIG_TESTS = build.ROOT / "tests" / "rig"
# Long: software cards in a newer QEMU, Linux and DPDK guests. `./millrace test cards`.
CARD_TESTS = ("test_model.py", "test_ixgbe.py", "test_net_cards.py", "test_compare.py")
# Folders whose programs and images the tests use, by path or by a machine that needs them.
PREREQUISITES = ("apps", "rig", "model", "tests/image", "compare/dpdk/guest")
AGAIN_MOST = 3  # rig tests that failed are run once more; more than that are no accident
ENDED = "pytest ended with"  # stands for a case when pytest itself failed


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
    boot, for silence, for a period to pass: three share two CPUs well."""
    return ["-n", str(max(3, (os.cpu_count() or 1) // 2)), "--dist", "loadfile"]


def _environment(folder, log):
    """What the tests are told."""
    environment = {**os.environ, "MILLRACE_BUILD": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    kernel = setup.linux_kernel(str(build.ROOT / "results" / "linux"), log)
    if kernel:
        environment.setdefault("MILLRACE_LINUX", kernel)
    return environment


def _run(folder, words, log):
    """A Layer; what failed has been tried again."""
    environment = _environment(folder, log)
    return again(_pytest(folder, environment, words),
                 lambda names: _pytest(folder, environment, [_node(n) for n in names]), log)


def rig(total, log):
    """All but the cards' tests, on all that is built."""
    cards = [f"--ignore={RIG_TESTS / name}" for name in CARD_TESTS]
    timed(total, "rig", lambda: _run(build.build("build", log),
                                     [str(RIG_TESTS), *cards, *_side_by_side()], log))


def cards(total, log):
    """The cards' tests."""
    files = [str(RIG_TESTS / name) for name in CARD_TESTS]
    timed(total, "cards", lambda: _run(build.build("build", log), files, log))


def needs_cards(nodes):
    """Whether one of these pytest nodes is a test of cards."""
    return any(pathlib.Path(node.partition("::")[0]).name in CARD_TESTS for node in nodes)


def some(total, log, nodes):
    """These pytest nodes; only what machines need is built."""
    def run():
        folder = build.configure("build", log)
        build.build("build", log, targets=build.targets_of(folder, PREREQUISITES))
        return _run(folder, nodes, log)
    timed(total, "rig", run)
