# SPDX-License-Identifier: BSD-2-Clause
"""Debian packages with all they need, unpacked into a folder: not installed, no root, no scripts.

    unpack.packages(("bookworm",), ("dpdk",), folder, log_path)    # into folder/root

The mirror is the one that this machine's apt sources name; what comes from it is checked by the
Debian archive keys.
"""
import os
import shutil
import subprocess

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
TRIPLET = "x86_64-linux-gnu"
LOADER = f"usr/lib/{TRIPLET}/ld-linux-x86-64.so.2"
HELP_S = 60
APT_S = 900


class SetupError(RuntimeError):
    """Something cannot be had here; the text says why."""


def cache_dir(name):
    """Where unpacked things live; safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(base, "millrace", name)


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


def run(command, log_path, limit_s=APT_S):
    """Runs a command, its output goes to the log; raises SetupError."""
    with open(log_path, "ab") as log:
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT, timeout=limit_s, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SetupError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise SetupError(f"{os.path.basename(command[0])} failed: see {log_path}")


def apt(state, uri, suites, kind="deb"):
    """apt-get with sources, lists, cache and package status of its own. `kind`: deb or deb-src."""
    for folder in ("lists/partial", "archives/partial", "parts"):
        os.makedirs(os.path.join(state, folder), exist_ok=True)
    open(os.path.join(state, "status"), "w", encoding="ascii").close()
    sources = os.path.join(state, "sources.list")
    with open(sources, "w", encoding="ascii") as out:
        for suite in suites:
            architecture = " arch=amd64" if kind == "deb" else ""
            out.write(f"{kind} [signed-by={KEYRING}{architecture}] {uri} {suite} main\n")
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


def source(suite, name, folder, log_path):
    """Unpacks the source of a Debian package, patched as Debian does it, into folder/source
    (replaced). Raises SetupError."""
    uris = mirrors()
    if not uris:
        raise SetupError("this machine's apt sources name no Debian mirror")
    state, final = os.path.join(folder, "apt"), os.path.join(folder, "source")
    shutil.rmtree(final, ignore_errors=True)
    get = apt(state, uris[0], (suite,), kind="deb-src")
    run(get + ["update"], log_path)
    run(["sh", "-c", 'cd "$0" && "$@"', state, *get, "source", "--download-only", name], log_path)
    run(["sh", "-c", 'dpkg-source --no-check -x "$0"/$2_*.dsc "$1"', state, final, name],
        log_path)
    shutil.rmtree(state, ignore_errors=True)


def libraries(root):
    """Directories with shared libraries, relative to `root`; short paths first."""
    found = []
    for folder, _, names in os.walk(os.path.join(root, "usr", "lib", TRIPLET)):
        inside = os.path.relpath(folder, root)
        if any(".so" in name for name in names) and "/qemu" not in inside:
            found.append(inside)
    return sorted(found, key=len)


def _merge_usr(root):
    """Packages ship /usr/lib or /lib; the wrapper looks into /usr only."""
    os.makedirs(os.path.join(root, "usr"), exist_ok=True)
    for name in ("lib", "lib64", "bin", "sbin"):
        os.makedirs(os.path.join(root, "usr", name), exist_ok=True)
        if not os.path.lexists(os.path.join(root, name)):
            os.symlink(f"usr/{name}", os.path.join(root, name))


def packages(suites, names, folder, log_path):
    """Unpacks `names` and what they depend on, from the last of `suites` where it has them, into
    folder/root (replaced). Returns how many packages. Raises SetupError."""
    for tool in ("apt-get", "dpkg-deb"):
        if shutil.which(tool) is None:
            raise SetupError(f"{tool} is not here")
    if not os.path.exists(KEYRING):
        raise SetupError(f"{KEYRING} is not here: install debian-archive-keyring")
    uris = mirrors()
    if not uris:
        raise SetupError("this machine's apt sources name no Debian mirror")
    os.makedirs(folder, exist_ok=True)
    state, root = os.path.join(folder, "apt"), os.path.join(folder, "root.new")
    shutil.rmtree(root, ignore_errors=True)
    get = apt(state, uris[0], suites)
    run(get + ["update"], log_path)
    run(get + ["install", "--download-only", "-t", suites[-1], *names], log_path)
    _merge_usr(root)
    archives = os.path.join(state, "archives")
    found = sorted(name for name in os.listdir(archives) if name.endswith(".deb"))
    for name in found:  # tar, because dpkg-deb -x replaces the links of _merge_usr by folders
        run(["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink '
              '-C "$1"', os.path.join(archives, name), root], log_path)
    final = os.path.join(folder, "root")
    shutil.rmtree(final, ignore_errors=True)
    os.rename(root, final)
    shutil.rmtree(state, ignore_errors=True)
    return len(found)
