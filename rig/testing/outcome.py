# SPDX-License-Identifier: BSD-2-Clause
"""What came of tests: cases of a layer, and of all of them."""
import dataclasses
import subprocess
import time

from .. import build


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


def timed(total, name, function):
    """Runs a layer; a layer that cannot run at all is one failure, and the next one runs."""
    begin = time.monotonic()
    try:
        layer = function()
    except (build.BuildError, OSError, subprocess.SubprocessError) as error:
        layer = Layer(failed=["did not run"], output=str(error))
    total.add(name, layer, time.monotonic() - begin)
