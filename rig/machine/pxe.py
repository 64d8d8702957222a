# SPDX-License-Identifier: BSD-2-Clause
"""The folder that a TFTP server hands to a booting machine: image, modules, iPXE scripts."""
import os
import shutil

LKRN = "/boot/ipxe.lkrn"  # a whole iPXE with drivers, started as a Linux kernel is
SNPONLY = "/usr/lib/ipxe/snponly.efi"
# Debian 12 has its ROMs in the first folder, and its EFI ROMs hold a whole iPXE. Debian 13 has
# them in the second, and its EFI ROMs hold a NIC driver only: the firmware loads snponly.efi.
ROM_FOLDERS = ("/usr/lib/ipxe/qemu", "/usr/share/qemu")


def script(image_name, args, module_names, open_network):
    """The iPXE script: kernel with its arguments, one initrd line a module."""
    lines = ["#!ipxe"]
    if open_network:  # started from autoexec.ipxe, the network device is still closed
        lines.append("dhcp")
    lines.append(f"kernel {image_name} {args}".rstrip())
    lines += [f"initrd {name} {name}" for name in module_names]
    lines.append("boot")
    return "\n".join(lines) + "\n"


def boot_rom(uefi):
    """Path of the boot card's option ROM."""
    name = "efi-e1000e.rom" if uefi else "pxe-e1000e.rom"
    paths = [os.path.join(folder, name) for folder in ROM_FOLDERS]
    return next((path for path in paths if os.path.exists(path)), paths[0])


def rom_has_ipxe():
    """Whether the EFI ROM is an iPXE, which takes a script as its boot file."""
    return os.path.dirname(boot_rom(uefi=True)) == ROM_FOLDERS[0]


def fill_for_lkrn(folder, image, args, modules):
    """Makes `folder` for TFTP at 10.0.2.2 (QEMU's user network); returns the path of the script
    that an iPXE started with it runs."""
    os.makedirs(folder)
    for name, source in [(os.path.basename(image), image), *modules]:
        shutil.copyfile(source, os.path.join(folder, name))
    there = "tftp://10.0.2.2/"
    lines = ["#!ipxe", "dhcp net0 || poweroff",
             f"kernel {there}{os.path.basename(image)} {args}".rstrip() + " || poweroff"]
    lines += [f"initrd {there}{name} {name} || poweroff" for name, _ in modules]
    path = os.path.join(folder, "boot.ipxe")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines + ["boot || poweroff"]) + "\n")
    return path


def fill_folder(folder, image, args, modules, uefi):
    """Makes `folder`; returns the boot file name for DHCP."""
    os.makedirs(folder)
    shutil.copyfile(image, os.path.join(folder, os.path.basename(image)))
    for name, source in modules:
        shutil.copyfile(source, os.path.join(folder, name))
    names = [name for name, _ in modules]
    by_snponly = uefi and not rom_has_ipxe()
    text = script(os.path.basename(image), args, names, by_snponly)
    script_name = "autoexec.ipxe" if by_snponly else "boot.ipxe"
    with open(os.path.join(folder, script_name), "w", encoding="ascii") as file:
        file.write(text)
    if not by_snponly:
        return script_name
    shutil.copyfile(SNPONLY, os.path.join(folder, "snponly.efi"))
    return "snponly.efi"
