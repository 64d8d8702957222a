# SPDX-License-Identifier: BSD-2-Clause
"""Every parser under a fuzzer."""
import os
import subprocess

from .. import build
from .outcome import Layer, timed


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
    timed(total, "fuzz", run)
