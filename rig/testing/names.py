# SPDX-License-Identifier: BSD-2-Clause
"""Tests by name: which program or file a word on the command line means.

A word is a unit test as Meson calls it, a test file (path, or its name alone), or a case: a
function of tests/rig (with its parameters in brackets, when only those are wanted), or one that a
cmocka program lists; of such a program all cases run.
"""
import dataclasses
import difflib
import json
import pathlib
import re

from .. import build

UNIT_TESTS = build.ROOT / "tests" / "unit"
RIG_TESTS = build.ROOT / "tests" / "rig"
NEAR_MOST = 5


class UnknownTest(RuntimeError):
    """No test has that name; the text names near ones."""


@dataclasses.dataclass
class Chosen:
    """What is to be run."""
    unit: list = dataclasses.field(default_factory=list)  # names of Meson's tests
    rig: list = dataclasses.field(default_factory=list)   # pytest's node ids

    def add(self, other):
        """What another word means, too; nothing twice."""
        self.unit += [name for name in other.unit if name not in self.unit]
        self.rig += [node for node in other.rig if node not in self.rig]

    def __bool__(self):
        return bool(self.unit or self.rig)


@dataclasses.dataclass
class MesonTest:
    """A test of Meson: what it is made of."""
    name: str
    sources: list   # its own files
    targets: list   # what ninja has to build for it


def meson_tests(folder):
    """Tests of a configured build directory."""
    info = folder / "meson-info"
    tests = json.loads((info / "intro-tests.json").read_text(encoding="utf-8"))
    targets = {one["id"]: one for one in
               json.loads((info / "intro-targets.json").read_text(encoding="utf-8"))}
    found = []
    for test in tests:
        mine = [targets[one] for one in test["depends"] if one in targets]
        found.append(MesonTest(
            test["name"],
            [path for one in mine for part in one["target_sources"]
             for path in part.get("sources", [])],
            [str(pathlib.Path(path).relative_to(folder)) for one in mine
             for path in one["filename"]]))
    return found


def _short(stem):
    """A test file's name without what all of them have."""
    return stem.removeprefix("test_").removesuffix("_test")


def _functions(paths, pattern):
    """{name: [files]} of what a pattern finds in files."""
    found = {}
    for path in paths:
        for name in dict.fromkeys(re.findall(pattern, path.read_text(encoding="utf-8"), re.M)):
            found.setdefault(name, []).append(path)
    return found


class Names:
    """Everything that can be named."""

    def __init__(self, tests, unit_folder=UNIT_TESTS, rig_folder=RIG_TESTS):
        """`tests`: of meson_tests()."""
        self._tests = tests
        self._rig_files = {path.stem: path for path in sorted(rig_folder.glob("test_*.py"))}
        self._unit_files = {path.stem: [] for path in sorted(unit_folder.rglob("*_test.c"))}
        for path in sorted(unit_folder.rglob("*_test.c")):
            self._unit_files[path.stem].append(path)
        self._rig_cases = _functions(self._rig_files.values(), r"^def (test_\w+)")
        self._unit_cases = _functions([path for paths in self._unit_files.values()
                                       for path in paths],
                                      r"cmocka_unit_test\w*\(\s*(\w+)")

    def _of_source(self, path):
        return [one.name for one in self._tests if str(path) in one.sources]

    def _case(self, path, case):
        """One case of a file of tests/rig."""
        there = path in self._rig_cases.get(case.partition("[")[0], ())
        return Chosen(rig=[f"{path}::{case}"] if there else [])

    def _file(self, path, case):
        """A file, or one case of it."""
        if path not in self._rig_files.values():
            return Chosen(unit=self._of_source(path))
        return self._case(path, case) if case else Chosen(rig=[str(path)])

    def _exact(self, word):
        """A name as it stands."""
        name, bracket, parameters = word.partition("[")
        found = Chosen(unit=[one.name for one in self._tests if one.name == word])
        for path in [*self._unit_files.get(word, ()), *self._unit_cases.get(word, ())]:
            found.add(Chosen(unit=self._of_source(path)))
        if word in self._rig_files:
            found.add(Chosen(rig=[str(self._rig_files[word])]))
        found.add(Chosen(rig=[f"{path}::{name}{bracket}{parameters}"
                              for path in self._rig_cases.get(name, ())]))
        return found

    def find(self, word):
        """What a word means; UnknownTest when nothing is called so."""
        head, _, case = word.partition("::")
        for base in (pathlib.Path.cwd(), build.ROOT):
            path = (base / head).resolve()
            if path.is_file():
                return self._file(path, case) or self._unknown(word)
        if case:
            path = self._rig_files.get(head, self._rig_files.get("test_" + head))
            return self._case(path, case) or self._unknown(word)
        word = word.removesuffix(".py").removesuffix(".c")
        found = self._exact(word)
        if not found:  # a file's name without what all of them have: of both kinds
            found.add(self._exact(word + "_test"))
            found.add(self._exact("test_" + word))
        return found or self._unknown(word)

    def all(self):
        """Every name there is; files by the short one."""
        files = {_short(stem) for stem in (*self._rig_files, *self._unit_files)}
        return sorted({*(one.name for one in self._tests), *files, *self._rig_cases,
                       *self._unit_cases})

    def near(self, word):
        """Names that a word may have meant: they look like it, or hold it; the short ones first."""
        everything, word = self.all(), _short(word)
        like = difflib.get_close_matches(word, everything, NEAR_MOST)
        holding = sorted((name for name in everything if word.lower() in name.lower()), key=len)
        return list(dict.fromkeys([*like, *holding]))[:NEAR_MOST]

    def _near_cases(self, head, case):
        """The cases of one file of tests/rig that a case may have meant."""
        path = self._rig_files.get(head, self._rig_files.get("test_" + head))
        cases = [name for name, paths in self._rig_cases.items() if path in paths]
        return difflib.get_close_matches(case, cases, NEAR_MOST)

    def _unknown(self, word):
        head, _, case = word.partition("::")
        near = self._near_cases(head, case) or self.near(case or pathlib.Path(head).stem)
        raise UnknownTest(f"no test is called {word}" + (
            ": did you mean " + ", ".join(near) + "?" if near else
            "; `meson test -C build --list` and tests/rig name them all"))

    def targets(self, names):
        """What ninja has to build for Meson's tests of these names."""
        return list(dict.fromkeys(target for one in self._tests if one.name in names
                                  for target in one.targets))
