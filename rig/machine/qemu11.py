# SPDX-License-Identifier: BSD-2-Clause
"""A QEMU that can take cards from another process (`vfio-user-pci`: 10.1 and later).

    qemu = qemu11.find() or qemu11.install(print)

The installed one is taken when it can. Else a newer Debian's packages are unpacked (not
installed) under the user's cache directory, and a wrapper runs that binary with its own loader
and libraries.
"""
import os
import shutil
import subprocess

from .. import unpack
from ..unpack import SetupError

DEVICE = "vfio-user-pci"
SYSTEM = "qemu-system-x86_64"
OVERRIDE = "MILLRACE_QEMU"      # a path that is taken without looking further
SUITES = ("trixie", "trixie-backports")
PACKAGES = ("qemu-system-x86", "seabios", "ipxe-qemu", "ovmf")
HELP_S = 60
WRAPPER = f"""#!/bin/sh
# Runs the unpacked QEMU with the libraries that came with it.
here=$(dirname "$(readlink -f "$0")")
root=$here/root
export QEMU_MODULE_DIR="$root/usr/lib/{unpack.TRIPLET}/qemu"
exec "$root/{unpack.LOADER}" --library-path "@LIBRARIES@" \\
    "$root/usr/bin/{SYSTEM}" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \\
    -L "$root/usr/lib/ipxe/qemu" "$@"
"""


def cache_dir():
    """Where it is unpacked; safe to delete."""
    return unpack.cache_dir("qemu")


def capable(path):
    """True when that QEMU knows the device. (It exits with 0 when it does not.)"""
    try:
        answer = subprocess.run([path, "-device", f"{DEVICE},help"], stdin=subprocess.DEVNULL,
                                capture_output=True, text=True, timeout=HELP_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and f"{DEVICE} options" in answer.stdout


def wrapper():
    """Path of the private one, whether it exists or not."""
    return os.path.join(cache_dir(), SYSTEM)


def find():
    """Path of a QEMU with the device, or None."""
    chosen = os.environ.get(OVERRIDE)
    if chosen:
        return chosen
    for path in (shutil.which(SYSTEM), wrapper()):
        if path and os.path.exists(path) and capable(path):
            return path
    return None


def install(log=print):
    """Downloads and unpacks; returns the wrapper's path. Raises SetupError."""
    base = cache_dir()
    log_path = os.path.join(base, "setup.log")
    os.makedirs(base, exist_ok=True)
    log(f"qemu: getting {SUITES[-1]}'s packages from this machine's Debian mirror")
    try:
        count = unpack.packages(SUITES, PACKAGES, base, log_path)
    except SetupError as error:
        raise SetupError(f"{error}; or install QEMU >= 10.1 and name it in {OVERRIDE}") from error
    folders = unpack.libraries(os.path.join(base, "root"))
    with open(wrapper(), "w", encoding="ascii") as out:
        out.write(WRAPPER.replace("@LIBRARIES@", ":".join(f"$root/{one}" for one in folders)))
    os.chmod(wrapper(), 0o755)
    if not capable(wrapper()):
        raise SetupError(f"the unpacked QEMU does not know {DEVICE}: see {log_path}")
    log(f"qemu: {count} packages unpacked under {base}")
    return wrapper()


def get(log=print):
    """The QEMU to use; downloads one when there is none."""
    return find() or install(log)


if __name__ == "__main__":
    print(get())
