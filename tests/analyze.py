#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Looks through every C source of the runtime, drivers, models and applications by -fanalyzer.

usage: analyze.py [--clang-tidy] [FILE...]   (default: all of FOLDERS)

Paths through a function that leak, use freed memory, dereference NULL or index outside are
errors. With --clang-tidy the list in .clang-tidy is run instead, as a second opinion.
What is known to be a false alarm is listed in EXCEPTIONS with its reason.
"""
import concurrent.futures
import os
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), ".."))
FOLDERS = ("rt/core", "rt/bus", "rt/boot", "rt/x86", "rt/host", "mempool", "tcp", "pmd", "apps",
           "model", "rig", "tools")
INCLUDES = ("rt/include", "rt/boot", "mempool/include", "tcp/include", "pmd/include", "pmd",
            "apps", "apps/l2fwd", "apps/kit", "apps/kit/include", "model", "model/include")
HOST = ("-Irt/host/include", "-DRT_HOST=1", "-D_GNU_SOURCE")
BARE = ("-Irt/x86/include", "-DRT_BARE=1", "-ffreestanding", "-fpie", "-mno-red-zone",
        "-fvisibility=hidden")
COMMON = ("-std=gnu17", "-O2", "-g", "-fno-strict-aliasing", "-Wall", "-Wextra",
          "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-Werror")
SECONDS_MAX = 300
# gcc 12 takes a small structure that a function returns in a register for uninitialised.
NOT_USED = ("-Wno-analyzer-use-of-uninitialized-value",)
RETURNED = "the caller gets a pointer to a member, which its close() frees whole"
EXCEPTIONS = {
    "pmd/link/link_path.c": ("malloc-leak", "it loses sight of a buffer that is chained behind "
                             "another by a pointer to its `next`"),
    "tcp/tcp/self.c": ("malloc-leak", "the same"),
    "mempool/pool.c": ("use-after-free", "it is the pool: what it frees stays its memory"),
    "model/wire/backend.c": ("malloc-leak", RETURNED),
    "model/wire/backend_file.c": ("malloc-leak", RETURNED),
    "model/wire/backend_stream.c": ("malloc-leak", RETURNED),
    "apps/l2fwd/txgen.c": ("malloc-leak", "the batch's array owns what the loop takes"),
}


def world(path):
    return BARE if path.startswith(("rt/x86/", "rt/boot/")) else HOST


def sources():
    found = []
    for top in FOLDERS:
        for folder, folders, files in os.walk(os.path.join(ROOT, top)):
            folders[:] = [d for d in folders if d not in ("corpus", "__pycache__")]
            found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files
                      if f.endswith(".c")]
    return sorted(found)


def command_of(tool, path):
    flags = [*COMMON, *world(path), *(f"-I{i}" for i in INCLUDES)]
    if tool == "clang-tidy":
        return ["clang-tidy", "--quiet", "--warnings-as-errors=*", path, "--", *flags]
    if path in EXCEPTIONS:
        flags.append("-Wno-analyzer-" + EXCEPTIONS[path][0])
    return ["gcc", "-fanalyzer", "-fdiagnostics-plain-output", *NOT_USED, *flags, "-c", path,
            "-o", os.devnull]


def look(tool, path):
    try:
        ran = subprocess.run(command_of(tool, path), cwd=ROOT, text=True, check=False,
                             capture_output=True, timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        return path, f"{path}: no result after {SECONDS_MAX} s"
    return path, (ran.stdout + ran.stderr).strip() if ran.returncode != 0 else ""


def main():
    arguments = sys.argv[1:]
    tool = "gcc"
    if arguments[:1] == ["--clang-tidy"]:
        tool, arguments = "clang-tidy", arguments[1:]
    if shutil.which(tool) is None:
        sys.exit(f"analyze: {tool} is not installed (./millrace setup)")
    paths = arguments or sources()
    if not paths:
        sys.exit("analyze: no sources found")
    findings = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, text in pool.map(lambda p: look(tool, p), paths):
            if text:
                findings += 1
                print(f"== {path}\n{text}")
    print(f"analyze: {tool}, {len(paths)} files, {findings} with findings")
    sys.exit(1 if findings else 0)


main()
