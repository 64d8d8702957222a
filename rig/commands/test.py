# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace test`: every layer of tests, one total; or one test by its name, in seconds."""
import pathlib

from .. import build, setup
from ..testing import fuzz, rigtests, unit
from ..testing.names import Chosen, Names, meson_tests
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
        unit.clang_images(total, log)
        unit.analyze(total, log)
    if "fuzz" in layers:
        fuzz.fuzz_all(total, FUZZ_TOTAL_S, seed=1, log=log)
    if "rig" in layers:
        rigtests.rig(total, log)
    if "cards" in layers:
        rigtests.cards(total, log)
    return total.finish()


def run_chosen(words, log):
    """Builds and runs what the words name, and nothing else. Returns the exit status."""
    names, chosen = Names(meson_tests(build.configure("build", log))), Chosen()
    for word in words:
        chosen.add(names.find(word))
    total = Total(log)
    if chosen.unit:
        unit.some(total, log, chosen.unit, names.targets(chosen.unit))
    if chosen.rig:
        setup.ensure(("run", "test"), log)
        if rigtests.needs_cards(chosen.rig) and setup.ensure(("bench", "cards"), log):
            build.forget()
        rigtests.some(total, log, chosen.rig)
    return total.finish()


def words_wrong(words):
    """Why what is to be tested cannot be there, told without a build; None when it may be."""
    layers = [word for word in words if word in LAYERS]
    if len(layers) > 1 or (layers and words[0] != layers[0]):
        return f"test: {layers[-1]} is a layer: one layer, or names of tests"
    if layers and layers != ["rig"] and len(words) > 1:
        return f"test {layers[0]} takes no files: name them without the layer"
    for word in words:
        head = word.partition("::")[0]
        if "/" in head and not any((base / head).is_file() for base in
                                   (pathlib.Path.cwd(), build.ROOT)):
            near = Names([]).near(pathlib.Path(head).stem)
            return f"test: there is no file {head}" + (f"; near: {', '.join(near)}" if near else "")
    return None


def add_parser(commands):
    """The command's arguments, for rig/cli.py."""
    one = commands.add_parser("test", help="run the tests; last line \"N passed, N failed\"")
    one.add_argument("words", nargs="*", metavar="LAYER|FILE|NAME",
                     help="a layer: " + ", ".join(LAYERS) + " (all); or tests: a unit test "
                     "(ring_test), a file (tests/rig/test_args.py, test_args), a case")


def main(options, say):
    """Runs the command."""
    words = [word for word in options.words if word not in LAYERS]
    setup.ensure(("build",) if words else ("build", "run", "test"), say)
    if words:
        return run_chosen(words, say)
    layer = options.words[0] if options.words else "all"
    if layer == "cards" and setup.ensure(("bench", "cards"), say):
        build.forget()
    return run_layers(LAYERS[layer], say)
