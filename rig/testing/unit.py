# SPDX-License-Identifier: BSD-2-Clause
"""Unit tests and what else Meson runs."""
import json
import re
import subprocess
import sys

from .. import build
from ..apps import APPS
from .outcome import Layer, timed

# variant -> what of it is built: all of gcc's, which the rig's tests run. Unit tests run by both
# compilers; clang's are those of the hostile build, so that neither costs a run of its own. The
# image that clang makes for users must build, within its limit of size.
IMAGES = tuple(f"apps/{name}.img" for name in APPS)
UNIT_VARIANTS = {"build": (), "build-hostile": ("meson-test-prereq", *IMAGES)}


def clang_images(total, log):
    """Images by the other compiler; a build that fails says why."""
    def run():
        build.build("build-clang", log, targets=IMAGES)
        return Layer(len(IMAGES))
    timed(total, "images build-clang", run)


def unit(total, log):
    """Unit tests with fakes, with ASan and UBSan: gcc, and the hostile build by clang."""
    for variant, targets in UNIT_VARIANTS.items():
        def run(variant=variant, targets=targets):
            folder = build.build(variant, log, targets=targets)
            passed, failed, skipped, output = run_unit_tests(folder)
            return Layer(passed, failed, skipped=skipped, output=output)
        timed(total, f"unit {variant}", run)


def some(total, log, names, targets):
    """Tests of these names, of gcc's build; only their programs are built."""
    def run():
        folder = build.build("build", log, targets=targets or ("build.ninja",))
        passed, failed, skipped, output = run_unit_tests(folder, names)
        return Layer(passed, failed, skipped=skipped, output=output)
    timed(total, "unit", run)


def analyze(total, log):
    """gcc -fanalyzer over the sources (tests/analyze.py)."""
    def run():
        ran = subprocess.run([sys.executable, str(build.ROOT / "tests" / "analyze.py")],
                             cwd=build.ROOT, check=False, capture_output=True, text=True)
        failed = ["findings"] if ran.returncode else []
        return Layer(1 - len(failed), failed, output=ran.stdout + ran.stderr)
    timed(total, "analyze", run)


def unit_results(folder):
    """Cases of the last `meson test`, from its log: (passed, [names of failed ones],
    [(name, reason) of skipped ones])."""
    passed, failed, skipped = 0, [], []
    with open(folder / "meson-logs" / "testlog.json", encoding="utf-8") as log:
        for line in log:
            test = json.loads(line)
            good, bad, left = cases(test.get("stdout", "") + test.get("stderr", ""))
            skipped += [(f"{test['name']}: {name}", why) for name, why in left]
            if test["result"] in ("OK", "EXPECTEDFAIL"):
                passed += good or (0 if left else 1)
            elif test["result"] == "SKIP":
                skipped += [] if left else [(test["name"], "the program says so")]
            else:
                passed += good
                failed += [f"{test['name']}: {name}" for name in bad] or [test["name"]]
    return passed, failed, skipped


def cases(text):
    """What one cmocka program said: (number passed, names of failed cases, (name, reason) of
    skipped ones; the reason is a line "skip: ..." that the case printed)."""
    good = sum(int(number) for number in re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M))
    bad = re.findall(r"^\[  FAILED  \] (?!\d+ test)(\S+)", text, re.M)
    skipped, reason = {}, ""
    for line in text.splitlines():
        if line.startswith("[ RUN "):
            reason = ""
        elif line.startswith("skip: "):
            reason = line.removeprefix("skip: ")
        elif match := re.match(r"\[  SKIPPED \] (?!\d+ test)(\S+)", line):
            skipped.setdefault(match.group(1), reason or "no reason given")
    return good, sorted(set(bad)), list(skipped.items())


def run_unit_tests(folder, names=()):
    """Runs the unit suite, or tests by name; results as unit_results, and the output of what
    failed."""
    ran = subprocess.run(["meson", "test", "-C", str(folder), "--no-rebuild", "--print-errorlogs",
                          *(names or ("--suite", "unit"))], cwd=build.ROOT, capture_output=True,
                         text=True, check=False)
    passed, failed, skipped = unit_results(folder)
    if ran.returncode != 0 and not failed:
        failed = [f"meson test: {ran.stderr.strip()[-300:]}"]
    return passed, failed, skipped, ran.stdout[-8000:] if failed else ""
