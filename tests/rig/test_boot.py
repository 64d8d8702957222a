# SPDX-License-Identifier: BSD-2-Clause
"""Every way to start the image: modules and arguments must arrive unchanged.

The image says `boot entry=... cmdline=...` and `module name= bytes= crc32=`; that is compared
with what went in. Loaders that are not installed (GRUB, a Linux kernel) are skipped by name.
"""
import glob
import os
import pathlib
import re
import shutil
import subprocess
import zlib

import pytest

from rig.machine import cpio, qemu
from rig.options import BOOTS

HERE = pathlib.Path(__file__).resolve().parent
ARGS = "mode=io batch=16 stats_s=0"
ENTRY = {"direct": "pvh", "linux": "linux", "uefi": "efi", "pxe-bios": "linux",
         "pxe-uefi": "efi"}
FIRMWARE = {"bios": "linux", "uefi": "uefi"}  # the way to boot that has it
BOOT_S = 90  # OVMF on a busy host


@pytest.fixture(name="files")
def _files(tmp_path):
    """Two modules: one larger than a page, one of a few bytes, with a dot in its name."""
    (tmp_path / "big.bin").write_bytes(bytes((i * i + i // 251) & 255 for i in range(70001)))
    (tmp_path / "small.conf").write_bytes(b"name = value\n")
    return [(name, str(tmp_path / name)) for name in ("big.bin", "small.conf")]


def check_boot(console, entry, firmware, loader=None):
    """The first line of the image."""
    match = console.wait_for(r"^boot entry=(\w+) loader=\"(\w+)\" firmware=(\w+)", BOOT_S)
    assert match.group(1) == entry and match.group(3) == firmware
    if loader:
        assert match.group(2) == loader


def check_args(console, args):
    match = console.wait_for(r'^boot cmdline="(.*)"', 10)
    assert match.group(1) == args


def check_modules(console, files):
    console.wait_for(r"^module name=%s " % re.escape(files[-1][0]), 10)
    seen = {}
    for line in console.lines:
        match = re.match(r"module name=(\S+) bytes=(\d+) crc32=(0x[0-9a-f]+)", line)
        if match:
            seen[match.group(1)] = (int(match.group(2)), int(match.group(3), 16))
    wanted = {}
    for name, path in files:
        data = pathlib.Path(path).read_bytes()
        wanted[name] = (len(data), zlib.crc32(data))
    assert seen == wanted


@pytest.mark.parametrize("boot", [b for b in BOOTS if b != "pxe-card"])
def test_args_and_modules_arrive(machine, files, boot):
    m = machine("l2fwd", boot=boot, args=ARGS, modules=files, ports=0)
    check_boot(m.console, ENTRY[boot], "uefi" if "uefi" in boot else "bios",
               "ipxe" if "pxe" in boot else None)
    # OVMF's own kernel loader adds a word of its own
    check_args(m.console, ARGS + (" initrd=initrd" if boot == "uefi" else ""))
    check_modules(m.console, files)


@pytest.mark.parametrize("boot", ["pxe-bios", "pxe-uefi"])
def test_many_modules_and_long_args(machine, tmp_path, boot):
    files = []
    for i in range(12):
        path = tmp_path / f"module{i}"
        path.write_bytes(b"%d" % i * (i * 1000 + 1))
        files.append((path.name, str(path)))
    args = ARGS + " BOOT_IMAGE=/" + "x" * 850  # a loader's word: the image skips it
    m = machine("l2fwd", boot=boot, args=args, modules=files, ports=0)
    check_boot(m.console, ENTRY[boot], "uefi" if "uefi" in boot else "bios", "ipxe")
    check_args(m.console, args)
    check_modules(m.console, files)


def grub_iso(tmp_path, image, files):
    for program in ("grub-mkrescue", "xorriso", "mformat"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (grub-common, xorriso, mtools)")
    folder = tmp_path / "iso"
    (folder / "boot" / "grub").mkdir(parents=True)
    shutil.copyfile(image, folder / "l2fwd.img")
    initrd = ""
    for name, path in files:
        shutil.copyfile(path, folder / name)
        initrd += f" newc:{name}:/{name}"
    (folder / "boot" / "grub" / "grub.cfg").write_text(
        "serial --unit=0 --speed=115200\nterminal_output serial\nset timeout=0\n"
        f"menuentry l2fwd {{\n linux /l2fwd.img {ARGS}\n initrd{initrd}\n}}\n",
        encoding="ascii")
    iso = tmp_path / "grub.iso"
    subprocess.run(["grub-mkrescue", "-o", str(iso), str(folder)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return iso


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_grub(image, tmp_path, files, firmware):
    platform = "i386-pc" if firmware == "bios" else "x86_64-efi"
    if not os.path.isdir(f"/usr/lib/grub/{platform}"):
        pytest.skip(f"GRUB for {platform} is not installed")
    elf = image("l2fwd")
    iso = grub_iso(tmp_path, os.path.splitext(elf)[0] + ".img", files)
    options = ["-drive", f"if=none,id=cd,media=cdrom,format=raw,readonly=on,file={iso}",
               "-device", "ide-cd,drive=cd,bootindex=1"]
    with qemu.Machine(elf, boot=FIRMWARE[firmware], instead=options, ports=0) as m:
        # GRUB 2.06 enters by the Linux protocol, 2.12 and later by the PE entry on UEFI
        match = m.console.wait_for(r"^boot entry=(linux|efi) .*firmware=(\w+)", BOOT_S)
        assert match.group(2) == firmware
        check_args(m.console, f"BOOT_IMAGE=/l2fwd.img {ARGS}" if match.group(1) == "linux"
                   else ARGS)
        check_modules(m.console, files)


def linux_kernel():
    """A Debian kernel: of this machine, or one that was unpacked for this test."""
    found = sorted(glob.glob(os.environ.get("MILLRACE_LINUX", "/boot/vmlinuz-*")))
    if not found:
        pytest.skip("no Linux kernel: install linux-image-amd64 or set MILLRACE_LINUX")
    return found[-1]


def kexec_initrd(tmp_path, image, files):
    """A Linux user space of one program, which jumps into our image."""
    init = tmp_path / "init"
    subprocess.run(["gcc", "-std=gnu17", "-O2", "-Wall", "-Wextra", "-Werror", "-static", "-o",
                    str(init), str(HERE / "kexec_init.c")], check=True)
    modules = tmp_path / "modules.cpio"
    cpio.write(str(modules), files)
    (tmp_path / "args").write_text(ARGS, encoding="ascii")
    archive = bytearray(cpio.pack([("image", pathlib.Path(image).read_bytes()),
                                   ("modules", modules.read_bytes()),
                                   ("args", (tmp_path / "args").read_bytes()),
                                   ("init", init.read_bytes())]))
    archive[:] = archive.replace(b"000081A4", b"000081ED")  # 0644 to 0755: init must run
    initrd = tmp_path / "initrd.cpio"
    initrd.write_bytes(archive)
    return initrd


@pytest.mark.parametrize("firmware,cpu", [("bios", "max"), ("bios", "max,la57=off"),
                                          ("uefi", "max")])
def test_kexec(image, tmp_path, files, firmware, cpu):
    kernel = linux_kernel()
    elf = image("l2fwd")
    initrd = kexec_initrd(tmp_path, os.path.splitext(elf)[0] + ".img", files)
    options = ["-kernel", kernel, "-initrd", str(initrd), "-append", "console=ttyS0 quiet"]
    with qemu.Machine(elf, boot=FIRMWARE[firmware], instead=options, ports=0, cpu=cpu) as m:
        check_boot(m.console, "linux", firmware, "kexec")
        check_args(m.console, ARGS)
        check_modules(m.console, files)


def test_module_cut_short(machine, tmp_path, files):
    whole = tmp_path / "whole.cpio"
    cpio.write(str(whole), list(reversed(files)))  # the small file first
    cut = tmp_path / "cut.cpio"
    cut.write_bytes(whole.read_bytes()[:40000])
    m = machine("l2fwd", args=ARGS, initrd=str(cut), ports=0)
    m.console.wait_for(r"^boot warning=.*cut short", 20)
    check_modules(m.console, files[1:])  # what was whole is there, and the start goes on
    m.console.wait_for(r"^start app=l2fwd", 10)


def test_module_over_the_image(machine, image, tmp_path):
    """QEMU's PVH loader puts an initrd below the end of RAM, over our .bss if it is too big."""
    with qemu.Machine(image("l2fwd"), ports=0, memory_mib=16) as m:
        match = m.console.wait_for(r"image_base=(0x\w+) image_end=(0x\w+)", 20)
    image_end = int(match.group(2), 16)
    ram_end = (16 << 20) - (128 << 10)  # SeaBIOS keeps 128 KiB
    initrd = tmp_path / "large"
    initrd.write_bytes(b"\x5a" * (ram_end - image_end + 0x8000))
    m = machine("l2fwd", args=ARGS, initrd=str(initrd), memory_mib=16, ports=0)
    m.console.wait_for(r"^boot warning=.*over our image", 20)
    check_args(m.console, ARGS)
    m.console.wait_for(r"^start ", 10)
    assert not m.console.find(r"^module ")


def test_no_long_mode_says_so(machine):
    m = machine("l2fwd", args=ARGS, cpu="pentium3", machine="pc", ports=0)
    m.console.wait_for(r"^boot state=failed reason=\"this processor has no 64-bit mode\"", 20)
    m = machine("l2fwd", boot="linux", args=ARGS, cpu="pentium3", machine="pc", ports=0)
    m.console.wait_for(r"^boot state=failed reason=\"this processor has no 64-bit mode\"", 20)


@pytest.mark.parametrize("options", [{"cpu": "qemu64"}, {"memory_mib": 6144},
                                     {"machine": "pc", "memory_mib": 64}])
def test_other_machines(machine, files, options):
    """Without 1 GiB pages, with memory above 4 GiB, on the old chipset."""
    m = machine("l2fwd", args=ARGS, modules=files, ports=0, **options)
    check_boot(m.console, "pvh", "bios")
    check_modules(m.console, files)
    m.console.wait_for(r"^start app=l2fwd", 10)


def test_image_fits_and_has_both_headers(image):
    data = pathlib.Path(os.path.splitext(image("l2fwd"))[0] + ".img").read_bytes()
    assert len(data) <= 288 * 1024 and len(data) % 4096 == 0
    assert data[:2] == b"MZ" and data[0x202:0x206] == b"HdrS"
    pe = int.from_bytes(data[0x3c:0x40], "little")
    assert data[pe:pe + 4] == b"PE\0\0"
    sections = int.from_bytes(data[pe + 6:pe + 8], "little")
    table = pe + 24 + int.from_bytes(data[pe + 20:pe + 22], "little")
    end = 0x1000
    for i in range(sections):
        virtual_size, rva, raw_size, raw = (
            int.from_bytes(data[table + 40 * i + at:table + 40 * i + at + 4], "little")
            for at in (8, 12, 16, 20))
        assert raw == rva == end, "sections follow each other, file offset equals RVA"
        assert raw + raw_size <= len(data)
        end = rva + ((virtual_size + 4095) & ~4095)
