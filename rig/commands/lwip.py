# SPDX-License-Identifier: BSD-2-Clause
"""The peer of `./millrace bench tcp`: lwIP from Debian's source, built with our options for it.

Debian's library is built for threads and with checksums, so its source is taken: fetched once into
the user's cache folder, compiled with compare/tcp/lwip (-O2, as ours).
"""
import glob
import os
import pathlib
import shutil
import subprocess

from .. import unpack
from ..build import ROOT
from ..setup import installed
from ..unpack import SetupError

SUITE = "bookworm"
NEEDS = ("dpkg-dev", "xz-utils")
OURS = ROOT / "compare" / "tcp" / "lwip"
COMPILE_S = 300


def source(say):
    """Folder with lwIP's source; fetches it at the first use."""
    folder = unpack.cache_dir("lwip")
    final = os.path.join(folder, "source")
    if os.path.isdir(final):
        return final
    absent = sorted(set(NEEDS) - installed(NEEDS))
    if absent:
        raise SetupError("lwIP's source needs these packages: apt-get install " +
                         " ".join(absent))
    os.makedirs(folder, exist_ok=True)
    log_path = os.path.join(folder, "fetch.log")
    say(f"bench: lwIP's source is fetched, once (log: {log_path})")
    unpack.source(SUITE, "lwip", folder, log_path)
    return final


def _compile(command):
    done = subprocess.run([str(word) for word in command], check=False, capture_output=True,
                          text=True, timeout=COMPILE_S)
    if done.returncode != 0:
        raise SetupError(f"lwIP does not compile:\n{done.stderr[-2000:]}")


def build(folder, say):
    """(program, object of one side, object of the other) in a folder; valgrind can count them."""
    where = pathlib.Path(source(say))
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    core = sorted(glob.glob(f"{where}/src/core/*.c") + glob.glob(f"{where}/src/core/ipv4/*.c"))
    flags = ["gcc", "-O2", "-g", "-w", "-DBENCH_VALGRIND=1"]
    one, other, program = (folder / name for name in ("client.so", "server.so", "lwip_bench"))
    _compile([*flags, "-fPIC", "-shared", f"-I{OURS}", f"-I{where}/src/include", OURS / "side.c",
              *core, f"{where}/src/netif/ethernet.c", "-o", one])
    shutil.copyfile(one, other)
    _compile([*flags, f"-I{ROOT}/rt/include", OURS / "harness.c", "-ldl", "-o", program])
    return program, one, other
