# SPDX-License-Identifier: BSD-2-Clause
"""Meson build directories: one for each variant, in the top folder as build, build-*."""
import contextlib
import fcntl
import json
import os
import pathlib
import shutil

from . import progress
from .apps import APPS

ROOT = pathlib.Path(__file__).resolve().parents[1]

# variant -> (environment, meson options). `build` is what users run.
VARIANTS = {
    "build": ({"CC": "gcc"}, []),
    "build-clang": ({"CC": "clang"}, []),
    "build-hostile": ({"CC": "clang"}, ["-Dhostile=true"]),
    "build-fuzz": ({"CC": "clang"}, ["-Dfuzz=true"]),
    "build-ubsan": ({"CC": "gcc"}, ["-Dubsan_image=true"]),
}


# What machines need: a first run of a fresh clone does not wait for the tests' programs.
MACHINE_TARGETS = (*(f"apps/{name}{suffix}" for name in APPS for suffix in (".elf", ".img")),
                   "model/millrace-nic82599", "rig/traffic",
                   *(f"rig/insn{api}.so" for api in (1, 2, 7)))


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


def configure(variant="build", log=print):
    """Configures a variant, again when a meson.build changed; returns its directory."""
    return build(variant, log, targets=("build.ninja",))


def found(library, variant="build"):
    """False when a variant was configured without a library that Meson looked for."""
    listed = ROOT / variant / "meson-info" / "intro-dependencies.json"
    if not listed.exists():
        return True  # not configured yet: it will look
    return any(one["name"] == library for one in json.loads(listed.read_text(encoding="utf-8")))


def targets_of(folder, places):
    """Programs, modules and images that meson.build files of these folders define."""
    listed = json.loads((folder / "meson-info" / "intro-targets.json").read_text(encoding="utf-8"))
    wanted = [str(ROOT / place / "meson.build") for place in places]
    return [os.path.relpath(path, folder) for one in listed
            if one["defined_in"] in wanted and one["build_by_default"] and
            one["type"] != "static library" for path in one["filename"]]


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
