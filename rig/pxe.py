# SPDX-License-Identifier: BSD-2-Clause
"""The folder that a TFTP server hands to a booting machine: image, modules, iPXE scripts."""
import os
import shutil

SNPONLY = "/usr/lib/ipxe/snponly.efi"
IPXE_EFI_ROM = "/usr/lib/ipxe/qemu/efi-e1000e.rom"
# A ROM that holds a whole iPXE for UEFI has this text; newer ones hold a NIC driver only.
ROM_WITHOUT_IPXE_BYTES = 200000


def script(image_name, args, module_names, open_network):
    """The iPXE script: kernel with its arguments, one initrd line a module."""
    lines = ["#!ipxe"]
    if open_network:  # started from autoexec.ipxe, the network device is still closed
        lines.append("dhcp")
    lines.append(f"kernel {image_name} {args}".rstrip())
    lines += [f"initrd {name} {name}" for name in module_names]
    lines.append("boot")
    return "\n".join(lines) + "\n"


def rom_has_ipxe(path=IPXE_EFI_ROM):
    """Debian's ipxe-qemu has whole iPXEs in its EFI ROMs up to version 1.0.0 only."""
    return os.path.getsize(path) > ROM_WITHOUT_IPXE_BYTES


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
