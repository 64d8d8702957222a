# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace test`: every layer of tests, one total."""
import pathlib

from .. import build, setup
from ..testing import fuzz, rigtests, unit
from ..testing.outcome import Total

FUZZ_TOTAL_S = 60
LAYERS = {"all": ("unit", "fuzz", "rig"), "unit": ("unit",), "fuzz": ("fuzz",), "rig": ("rig",),
          "cards": ("cards",)}


def run_layers(layers, log):
    """Runs layers; the last line is `N passed, N failed`, the one before it has the flaky and
    the skipped ones too. Returns the exit status."""
    total = Total(log)
    if "unit" in layers:
        unit.unit(total, log)
        unit.analyze(total, log)
    if "fuzz" in layers:
        fuzz.fuzz_all(total, FUZZ_TOTAL_S, seed=1, log=log)
    if "rig" in layers:
        rigtests.rig(total, log)
    if "cards" in layers:
        rigtests.cards(total, log)
    return total.finish()


def run_files(files, log):
    """These files of tests/rig."""
    total = Total(log)
    rigtests.some(total, log, [str(pathlib.Path(word).resolve()) for word in files])
    return total.finish()


def words_wrong(layer, files):
    """What is wrong with `test LAYER FILES`; None when nothing is."""
    if files and layer != "rig":
        return f"test {layer} takes no files: the form is test rig tests/rig/test_args.py"
    for file in files:
        if not pathlib.Path(file.split("::")[0]).exists():
            return f"test rig: there is no {file}: the form is tests/rig/test_args.py"
    return None


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("test", help="run the tests; last line \"N passed, N failed\"")
    one.add_argument("layer", nargs="?", choices=sorted(LAYERS), default="all")
    one.add_argument("files", nargs="*", help="rig: only these, as tests/rig/test_args.py")


def main(options, say):
    """Runs the command."""
    setup.ensure(("build", "run", "test"), say)
    if options.files:
        return run_files(options.files, say)
    if options.layer == "cards" and setup.ensure(("bench", "cards"), say):
        build.forget()
    return run_layers(LAYERS[options.layer], say)
