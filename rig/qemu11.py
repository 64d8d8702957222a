# SPDX-License-Identifier: BSD-2-Clause
"""A QEMU that can take cards from another process (`vfio-user-pci`: 10.1 and later).

    qemu = qemu11.find() or qemu11.install(print)

The installed one is taken when it can. Else the packages of a newer Debian are downloaded with
apt-get, checked by the Debian archive keys, and unpacked (not installed: no root, no scripts)
under the user's cache directory; a wrapper runs the binary with its own loader and libraries.
The mirror is the one that this machine's apt sources name.
"""
import os
import shutil
import subprocess

DEVICE = "vfio-user-pci"
SYSTEM = "qemu-system-x86_64"
OVERRIDE = "MILLRACE_QEMU"      # a path that is taken without looking further
SUITES = ("trixie", "trixie-backports")
PACKAGES = ("qemu-system-x86", "seabios", "ipxe-qemu", "ovmf")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
HELP_S = 60
APT_S = 900
TRIPLET = "x86_64-linux-gnu"
WRAPPER = f"""#!/bin/sh
# Runs the unpacked QEMU with the libraries that came with it.
here=$(dirname "$(readlink -f "$0")")
root=$here/root
export QEMU_MODULE_DIR="$root/usr/lib/{TRIPLET}/qemu"
exec "$root/usr/lib64/ld-linux-x86-64.so.2" --library-path "@LIBRARIES@" \\
    "$root/usr/bin/{SYSTEM}" -L "$root/usr/share/qemu" -L "$root/usr/share/seabios" \\
    -L "$root/usr/lib/ipxe/qemu" "$@"
"""


class SetupError(RuntimeError):
    """No such QEMU can be had here; the text says why."""


def cache_dir():
    """Where unpacked things live; safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "millrace", "qemu")


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


def mirrors():
    """URIs of the Debian archive in this machine's apt sources, most used first."""
    text = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)"],
        capture_output=True, text=True, timeout=HELP_S, check=False).stdout
    found = {}
    for line in text.splitlines():
        origin, label, uri = (line.split("|") + ["", ""])[:3]
        if origin == "Debian" and label == "Debian" and uri:
            found[uri] = found.get(uri, 0) + 1
    return sorted(found, key=found.get, reverse=True)


def _run(command, log_path):
    with open(log_path, "ab") as log:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT, timeout=APT_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise SetupError(f"{os.path.basename(command[0])} failed: see {log_path}")


def _apt(state, uri):
    """apt-get with sources, lists, cache and package status of its own."""
    for folder in ("lists/partial", "archives/partial", "parts"):
        os.makedirs(os.path.join(state, folder), exist_ok=True)
    open(os.path.join(state, "status"), "w", encoding="ascii").close()
    sources = os.path.join(state, "sources.list")
    with open(sources, "w", encoding="ascii") as out:
        for suite in SUITES:
            out.write(f"deb [signed-by={KEYRING} arch=amd64] {uri} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": sources, "Dir::Etc::sourceparts": f"{state}/parts",
        "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": f"{state}/parts",
        "Dir::State": state, "Dir::State::lists": f"{state}/lists",
        "Dir::State::status": f"{state}/status", "Dir::Cache": state,
        "Dir::Cache::archives": f"{state}/archives", "Dir::Log": state,
        "APT::Sandbox::User": "", "APT::Architecture": "amd64", "APT::Architectures": "amd64",
        "Acquire::Languages": "none", "APT::Install-Recommends": "false",
        "Debug::NoLocking": "1",
    }
    return ["apt-get", "-q", "-y"] + [f"-o{name}={value}" for name, value in options.items()]


def _libraries(root):
    """Directories with shared libraries, as the wrapper names them; short paths first."""
    found = []
    for folder, _, names in os.walk(os.path.join(root, "usr", "lib", TRIPLET)):
        inside = os.path.relpath(folder, root)
        if any(".so" in name for name in names) and "/qemu" not in inside:
            found.append(f"$root/{inside}")
    return sorted(found, key=len)


def _merge_usr(root):
    """Packages ship /usr/lib or /lib; the wrapper looks into /usr only."""
    os.makedirs(os.path.join(root, "usr"), exist_ok=True)
    for name in ("lib", "lib64", "bin", "sbin"):
        os.makedirs(os.path.join(root, "usr", name), exist_ok=True)
        if not os.path.lexists(os.path.join(root, name)):
            os.symlink(f"usr/{name}", os.path.join(root, name))


def install(log=print):
    """Downloads and unpacks; returns the wrapper's path. Raises SetupError."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SetupError(f"{tool} is not here: install QEMU >= 10.1 and name it in "
                             f"{OVERRIDE}")
    if not os.path.exists(KEYRING):
        raise SetupError(f"{KEYRING} is not here: install debian-archive-keyring")
    uris = mirrors()
    if not uris:
        raise SetupError("this machine's apt sources name no Debian mirror")
    base = cache_dir()
    os.makedirs(base, exist_ok=True)
    state, root = os.path.join(base, "apt"), os.path.join(base, "root.new")
    log_path = os.path.join(base, "setup.log")
    shutil.rmtree(root, ignore_errors=True)
    log(f"qemu: getting {SUITES[-1]}'s packages from this machine's Debian mirror")
    apt = _apt(state, uris[0])
    _run(apt + ["update"], log_path)
    _run(apt + ["install", "--download-only", "-t", SUITES[-1], *PACKAGES], log_path)
    _merge_usr(root)
    archives = os.path.join(state, "archives")
    packages = sorted(name for name in os.listdir(archives) if name.endswith(".deb"))
    for name in packages:
        _run(["dpkg-deb", "-x", os.path.join(archives, name), root], log_path)
    final = os.path.join(base, "root")
    shutil.rmtree(final, ignore_errors=True)
    os.rename(root, final)
    text = WRAPPER.replace("@LIBRARIES@", ":".join(_libraries(final)))
    with open(wrapper(), "w", encoding="ascii") as out:
        out.write(text)
    os.chmod(wrapper(), 0o755)
    shutil.rmtree(state, ignore_errors=True)
    if not capable(wrapper()):
        raise SetupError(f"the unpacked QEMU does not know {DEVICE}: see {log_path}")
    log(f"qemu: {len(packages)} packages unpacked under {base}")
    return wrapper()


def get(log=print):
    """The QEMU to use; downloads one when there is none."""
    return find() or install(log)


if __name__ == "__main__":
    print(get())
