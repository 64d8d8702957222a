# SPDX-License-Identifier: BSD-2-Clause
"""`./millrace bench --native-dpdk`: DPDK from Debian's source, built for this very CPU.

Source and build live in the user's cache folder and are made once. Debian's package is built for
any x86-64 CPU with SSSE3, -O2; this one is -O3 -march=native, with just what the bench uses.
"""
import os
import shutil

from .. import build, unpack
from ..setup import installed
from ..unpack import SetupError

SUITE = "bookworm"
NEEDS = ("dpkg-dev", "libnuma-dev", "python3-pyelftools", "xz-utils")
# net/e1000 because in 22.11.11 ixgbe's build file uses a variable that e1000's sets.
OPTIONS = ("--buildtype=release", "-Dplatform=native", "-Ddefault_library=shared",
           "-Dtests=false", "-Denable_docs=false", "-Ddisable_apps=*", "--libdir=lib",
           "-Denable_drivers=bus/pci,bus/vdev,mempool/ring,net/e1000,net/ixgbe")


def root(say):
    """Folder where the built DPDK is installed; makes it at the first use (some minutes)."""
    folder = unpack.cache_dir("dpdk-native")
    final = os.path.join(folder, "root")
    if os.path.isdir(final):
        return final
    absent = sorted(set(NEEDS) - installed(NEEDS))
    if absent:
        raise SetupError("--native-dpdk needs these packages: apt-get install " +
                         " ".join(absent))
    os.makedirs(folder, exist_ok=True)
    log_path = os.path.join(folder, "build.log")
    say(f"bench: DPDK's source is fetched and built, once (log: {log_path})")
    unpack.source(SUITE, "dpdk", folder, log_path)
    source, made = os.path.join(folder, "source"), os.path.join(folder, "made")
    shutil.rmtree(made, ignore_errors=True)
    unpack.run(["meson", "setup", made, source, f"--prefix={final}", *OPTIONS], log_path)
    unpack.run(["ninja", "-C", made], log_path, limit_s=3600)
    unpack.run(["ninja", "-C", made, "install"], log_path)
    for name in ("apt", "source", "made"):
        shutil.rmtree(os.path.join(folder, name), ignore_errors=True)
    return final


def program(target, say):
    """(build folder, environment) of the host program with that DPDK."""
    lib = os.path.join(root(say), "lib")
    environment = {"PKG_CONFIG_PATH": os.path.join(lib, "pkgconfig"), "LD_LIBRARY_PATH": lib}
    folder = build.build("build-native-dpdk", log=say, targets=[target],
                         environment=environment)
    return folder, environment
