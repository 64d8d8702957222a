# SPDX-License-Identifier: BSD-2-Clause
"""Meson build directories: one for each variant, in the top folder as build, build-*."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess

from . import progress

ROOT = pathlib.Path(__file__).resolve().parents[1]

# variant -> (environment, meson options). `build` is what users run.
VARIANTS = {
    "build": ({"CC": "gcc"}, []),
    "build-clang": ({"CC": "clang"}, []),
    "build-hostile": ({"CC": "gcc"}, ["-Dhostile=true"]),
    "build-fuzz": ({"CC": "clang"}, ["-Dfuzz=true"]),
    "build-ubsan": ({"CC": "gcc"}, ["-Dubsan_image=true"]),
}


# What machines need: a first run of a fresh clone does not wait for the tests' programs.
MACHINE_TARGETS = ("apps/l2fwd.elf", "apps/l2fwd.img", "model/millrace-nic82599", "rig/traffic",
                   "rig/insn1.so", "rig/insn2.so", "rig/insn7.so")


class BuildError(RuntimeError):
    """A build failed; the message ends with its last lines."""


def _run(command, environment, log_path, say):
    with open(log_path, "a", encoding="utf-8") as log:
        status, tail = progress.run(command, "build", say, log=log, cwd=ROOT,
                                    env={**os.environ, **environment})
    if status != 0:
        raise BuildError(f"{' '.join(command)} failed ({log_path}):\n{tail}")


@contextlib.contextmanager
def alone(folder, say):
    """One build of a folder at a time: a second command that builds it waits, and says so."""
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)  # not passed on to children
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"build: waiting for another command that builds {folder.name}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def build(variant="build", log=print, targets=(), environment=None):
    """Configures (once) and builds a variant or some of it, or one like `build` in another
    environment; returns its directory."""
    own, options = VARIANTS.get(variant, VARIANTS["build"])
    environment = {**own, **(environment or {})}
    folder = ROOT / variant
    folder.mkdir(exist_ok=True)
    log_path = folder / "millrace.log"
    with alone(folder, log):
        log_path.unlink(missing_ok=True)
        if not (folder / "build.ninja").exists():
            log(f"build: configuring {variant}")
            _run(["meson", "setup", *options, str(folder)], environment, log_path, log)
        log(f"build: {variant}")
        _run(["ninja", "-C", str(folder), *targets], environment, log_path, log)
    return folder


def found(library, variant="build"):
    """False when a variant was configured without a library that Meson looked for."""
    listed = ROOT / variant / "meson-info" / "intro-dependencies.json"
    if not listed.exists():
        return True  # not configured yet: it will look
    return any(one["name"] == library for one in json.loads(listed.read_text(encoding="utf-8")))


def forget(variant="build"):
    """The next build looks for libraries again: one was installed."""
    (ROOT / variant / "build.ninja").unlink(missing_ok=True)
    shutil.rmtree(ROOT / variant / "meson-private", ignore_errors=True)


def find_image(folder, name):
    """NAME.elf somewhere in a build directory (NAME.img lies beside it)."""
    found = sorted(pathlib.Path(folder).rglob(f"{name}.elf"))
    if not found:
        raise BuildError(f"{name}.elf is not in {folder}")
    return str(found[0])


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


def run_unit_tests(folder):
    """Runs the unit suite; results as unit_results, and the output of what failed."""
    ran = subprocess.run(["meson", "test", "-C", str(folder), "--no-rebuild", "--print-errorlogs",
                          "--suite", "unit"], cwd=ROOT, capture_output=True, text=True,
                         check=False)
    passed, failed, skipped = unit_results(folder)
    if ran.returncode != 0 and not failed:
        failed = [f"meson test: {ran.stderr.strip()[-300:]}"]
    return passed, failed, skipped, ran.stdout[-8000:] if failed else ""
