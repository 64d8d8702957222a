# SPDX-License-Identifier: BSD-2-Clause
"""Linux guests of one initramfs: Debian's kernel, busybox and a script.

    kernel = guest.kernel()                       # downloaded once, unpacked, not installed
    guest.initramfs(path, kernel, "ifconfig eth0 up", modules=["ixgbe"])

Nothing here needs root.
"""
import glob
import os
import re
import shutil
import stat
import subprocess

from .. import unpack

KERNEL_META = "linux-image-amd64"
BUSYBOX = "busybox-static"
APT_S = 300
INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
chmod 755 /
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 4 > /proc/sys/kernel/printk
for module in @MODULES@; do
    insmod /modules/$module.ko || echo "guest module=$module state=failed"
done
echo "guest state=up"
@SCRIPT@
echo "guest state=done"
poweroff -f
"""


class GuestError(RuntimeError):
    """A guest cannot be made here."""


def cache_dir():
    """Where unpacked packages live; safe to delete."""
    return unpack.cache_dir("guest")


def _run(command, where):
    done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=APT_S, check=False)
    if done.returncode != 0:
        raise GuestError(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")
    return done.stdout


def package(name):
    """Folder with a Debian package's files; downloaded and unpacked at the first call."""
    folder = os.path.join(cache_dir(), name)
    if os.path.isdir(folder):
        return folder
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise GuestError("apt-get and dpkg-deb are needed to get " + name)
    work = folder + ".new"
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, "root"))
    _run(["apt-get", "-q", "-oAPT::Sandbox::User=", "download", name], work)
    for archive in glob.glob(os.path.join(work, "*.deb")):
        _run(["dpkg-deb", "-x", archive, os.path.join(work, "root")], work)
    os.rename(os.path.join(work, "root"), folder)
    shutil.rmtree(work, ignore_errors=True)
    return folder


class Kernel:
    """Image and modules of Debian's current kernel."""

    def __init__(self):
        depends = _run(["apt-cache", "depends", KERNEL_META], "/")
        match = re.search(r"Depends: (linux-image-\S+)", depends)
        if match is None:
            raise GuestError(f"apt knows no {KERNEL_META}: run apt-get update")
        root = package(match.group(1))
        self.image = glob.glob(os.path.join(root, "boot", "vmlinuz-*"))[0]
        self.version = os.path.basename(self.image)[len("vmlinuz-"):]
        self.files = {os.path.basename(path).split(".ko")[0].replace("-", "_"): path
                      for path in glob.glob(os.path.join(root, "lib/modules", self.version,
                                                         "kernel/**/*.ko"), recursive=True)}

    def closure(self, names):
        """Names of modules with what they depend on, in the order to load them."""
        order = []
        waiting = [(name.replace("-", "_"), False) for name in reversed(list(names))]
        while waiting:  # each name is expanded once
            name, expanded = waiting.pop()
            if name in order or name not in self.files:
                continue
            if expanded:
                order.append(name)
                continue
            waiting.append((name, True))
            with open(self.files[name], "rb") as file:
                match = re.search(rb"\0depends=([^\0]*)\0", file.read())
            needs = match.group(1).decode().split(",") if match else []
            waiting += [(need.replace("-", "_"), False) for need in needs if need]
        return order


def kernel():
    """The kernel of the guests. Raises GuestError."""
    return Kernel()


def boot_by(from_kernel, initrd, append):
    """QEMU's words that boot a guest: for command.Wanted.instead."""
    return ["-kernel", from_kernel.image, "-initrd", initrd, "-append", append]


def program(path, root, extra=()):
    """A dynamic program of an unpacked `root` with its libraries: {path in the guest: path here}.

    `extra`: more shared objects that it will load, paths below `root`; in the guest they are
    with the other libraries (twice in two folders would be two objects)."""
    libraries = os.path.join(root, "usr", "lib", unpack.TRIPLET)
    loader = os.path.join(root, unpack.LOADER)
    files = {"lib64/ld-linux-x86-64.so.2": loader, "bin/" + os.path.basename(path): path}
    for one in [path] + [os.path.join(root, name) for name in extra]:
        listed = _run([loader, "--library-path", libraries, "--list", one], "/")
        for name, found in re.findall(r"^\s*(\S+) => (/\S+)", listed, re.M):
            files[f"usr/lib/{unpack.TRIPLET}/{name}"] = found
        missing = re.findall(r"(\S+) => not found", listed)
        if missing:
            raise GuestError(f"{one} needs {', '.join(missing)}")
    files.update({f"usr/lib/{unpack.TRIPLET}/{os.path.basename(name)}":
                  os.path.join(root, name) for name in extra})
    return files


def _entry(name, mode, data, inode):
    encoded = name.encode() + b"\0"
    fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
    out = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
    out += b"\0" * (-len(out) % 4) + data
    return out + b"\0" * (-len(data) % 4)


def pack(files):
    """`files`: {path: (mode, bytes)}; folders are added. Returns a newc archive."""
    folders = set()
    for path in files:
        parts = path.split("/")[:-1]
        folders |= {"/".join(parts[:i + 1]) for i in range(len(parts))}
    everything = {path: (stat.S_IFDIR | 0o755, b"") for path in sorted(folders)}
    everything.update(files)
    out = b"".join(_entry(path, mode, data, inode)
                   for inode, (path, (mode, data)) in enumerate(everything.items(), start=1))
    return out + _entry("TRAILER!!!", 0, b"", 0)


def initramfs(path, from_kernel, script, modules=(), files=None):
    """Writes an initramfs that loads `modules`, runs `script` (sh) and powers off.

    `files`: {path in the guest: path here}, kept with their modes.
    """
    order = from_kernel.closure(modules)
    init = INIT.replace("@MODULES@", " ".join(order)).replace("@SCRIPT@", script)
    tree = {folder + "/.keep": (stat.S_IFREG | 0o644, b"")
            for folder in ("proc", "sys", "dev", "tmp", "bin", "modules")}
    tree["init"] = (stat.S_IFREG | 0o755, init.encode())
    sources = {"bin/busybox": os.path.join(package(BUSYBOX), "bin/busybox")}
    sources.update({f"modules/{name}.ko": from_kernel.files[name] for name in order})
    sources.update(files or {})
    for name, source in sources.items():
        with open(source, "rb") as file:
            tree[name.lstrip("/")] = (stat.S_IFREG | (os.stat(source).st_mode & 0o777),
                                      file.read())
    with open(path, "wb") as out:
        out.write(pack(tree))
