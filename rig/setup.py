# SPDX-License-Identifier: BSD-2-Clause
"""What has to be installed, and why. Debian 12 and 13; nothing but Debian packages."""
import glob
import os
import shutil
import subprocess

from . import progress, unpack
from .machine import qemu11

# package -> why. docs/dependencies.md says more about each.
BUILD = {
    "gcc": "compiler",
    "libc6-dev": "host programs and tests",
    "binutils": "linker and objcopy for the images",
    "meson": "build system",
    "ninja-build": "build system",
    "pkg-config": "finds libcmocka for Meson",
    "python3": "./millrace itself and build steps",
    "pci.ids": "names of devices in boot lines",
    "libcmocka-dev": "unit tests",
}
RUN = {
    "python3-matplotlib": "pictures of runs and comparisons",
    "qemu-system-x86": "the machines",
    "ipxe-qemu": "network boot ROM of the machines' e1000e",
    "ipxe": "snponly.efi for network boot by UEFI",
    "ovmf": "UEFI firmware of the machines",
}
TEST = {
    "clang": "second compiler, fuzzers",
    "lld": "second linker",
    "llvm": "symbols in sanitizer reports",
    "libclang-rt-dev": "clang's sanitizers and libFuzzer",
    "python3-pytest": "rig tests",
    "python3-pytest-xdist": "rig tests: files side by side",
    "universal-ctags": "function lengths in the tidy test",
    "dnsmasq-base": "boot --serve: DHCP and TFTP for a real rig",
    "grub-common": "boot test through GRUB",
    "grub-pc-bin": "boot test through GRUB on BIOS",
    "grub-efi-amd64-bin": "boot test through GRUB on UEFI",
    "xorriso": "boot test through GRUB: its CD image",
    "mtools": "boot test through GRUB: its CD image",
    "iproute2": "network name spaces: boot --serve, Linux as a peer",
    "iputils-ping": "ping, as a peer of the network stack",
    "netcat-openbsd": "nc, as a peer of the network stack",
    "nmap": "how well the network stack's first sequence numbers can be guessed",
}
BENCH = {
    "libdpdk-dev": "bench: DPDK's own driver, pool and ring beside ours",
    "valgrind": "bench tcp: instructions and cache lines",
}
CARDS = {
    "chromium": "test cards: opens the comparison's page",
}
GROUPS = {"build": BUILD, "run": RUN, "test": TEST, "bench": BENCH, "cards": CARDS}


class SetupError(RuntimeError):
    """Something is missing and cannot be installed from here."""


def installed(packages):
    """Those of the packages that dpkg knows as installed."""
    answer = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\\n", *packages],
        capture_output=True, text=True, check=False)
    return {line.split()[0] for line in answer.stdout.splitlines()
            if line.split()[1:] == ["installed"]}


def missing(groups=("build", "run", "test")):
    """{package: why} of what the groups need and dpkg does not have."""
    wanted = {}
    for group in groups:
        wanted.update(GROUPS[group])
    present = installed(list(wanted))
    return {name: why for name, why in wanted.items() if name not in present}


def _apt_line(names):
    """What an administrator would type."""
    return "apt-get install -y --no-install-recommends " + " ".join(names)


def _as_root(names):
    """Words before a command that root must run; SetupError when there is no way to be root."""
    by_hand = "have an administrator run\n    " + _apt_line(names)
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        raise SetupError(f"installing packages needs root, and there is no sudo: {by_hand}")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
    if subprocess.run(["sudo", "-n", "true"], **quiet).returncode != 0 and \
            subprocess.run(["sudo", "-v"], check=False).returncode != 0:
        raise SetupError(f"installing packages needs root, and sudo refuses this user: {by_hand}")
    return ["sudo"]


def install(packages, log):
    """Installs Debian packages with apt-get."""
    names = list(packages)
    environment = _as_root(names) + ["env", "DEBIAN_FRONTEND=noninteractive"]
    log("setup: " + _apt_line(names))
    status, tail = progress.run(environment + ["apt-get", "update", "-q"], "setup: update", log)
    if status != 0:
        log(f"{tail}setup: apt-get update failed; trying to install all the same")
    status, tail = progress.run(environment + _apt_line(names).split(), "setup: install", log)
    if status != 0:
        raise SetupError(f"{tail}apt-get could not install: " + " ".join(names))


def linux_kernel(folder, log):
    """Path of a Debian kernel for the kexec test, None when there is none to be had. Of this
    machine, else a package that is unpacked in `folder` and not installed."""
    own = sorted(glob.glob("/boot/vmlinuz-*"))
    if own:
        return own[-1]
    kept = sorted(glob.glob(f"{folder}/boot/vmlinuz-*"))
    if kept:
        return kept[-1]
    depends = subprocess.run(["apt-cache", "depends", "--important", "linux-image-amd64"],
                             capture_output=True, text=True, check=False).stdout
    names = [line.split()[-1] for line in depends.splitlines() if "Depends: linux-image" in line]
    if not names:
        return None
    log(f"setup: fetching {names[0]} for the kexec test (unpacked, not installed)")
    os.makedirs(folder, exist_ok=True)
    fetched = subprocess.run(["apt-get", "download", "-q", names[0]], cwd=folder, check=False,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for package in glob.glob(f"{folder}/linux-image*.deb"):
        if fetched.returncode == 0:
            subprocess.run(["dpkg", "-x", package, folder], check=False)
        os.unlink(package)
    shutil.rmtree(f"{folder}/lib", ignore_errors=True)  # modules: not needed
    shutil.rmtree(f"{folder}/usr", ignore_errors=True)
    kept = sorted(glob.glob(f"{folder}/boot/vmlinuz-*"))
    return kept[-1] if kept else None


def ensure_qemu11(log):
    """A QEMU that takes software cards: the installed one, else one that is unpacked in the
    user's cache folder, without root."""
    try:
        return qemu11.get(log)
    except unpack.SetupError as error:
        raise SetupError(str(error)) from error


def ensure(groups, log):
    """Installs what is missing of the groups; says what and why. Quiet when all is there. True
    when something was installed."""
    if not shutil.which("dpkg-query"):
        raise SetupError("this is not Debian (no dpkg-query); docs/dependencies.md lists what "
                         "is needed")
    lacking = missing(groups)
    if not lacking:
        return False
    for name, why in lacking.items():
        log(f"setup: {name} is missing ({why})")
    install(lacking, log)
    still = missing(groups)
    if still:
        raise SetupError("still missing after the installation: " + " ".join(still))
    return True


def ensure_machine(nics, log):
    """What building and running machines with these cards needs."""
    ensure(("build", "run"), log)
    if "ixgbe" in nics:
        ensure_qemu11(log)
