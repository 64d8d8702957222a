#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Finishes a linked image: symbol table in, NAME.elf and NAME.img out.

    mkimage.py [--objcopy PROGRAM] [--max-bytes N] IN.elf NAME.elf NAME.img

NAME.img is the memory image of the file, padded to 4 KiB: without the padding the last PE
section would reach behind the end of the file, and firmware refuses that.
"""
import argparse
import os
import shutil
import subprocess
import sys

PAGE_BYTES = 4096


def check(image, path, max_bytes):
    """Both headers must be where loaders look for them."""
    if image[:2] != b"MZ" or image[0x202:0x206] != b"HdrS":
        sys.exit(f"{path}: no PE or no Linux header")
    if len(image) > max_bytes:
        sys.exit(f"{path}: {len(image)} bytes, at most {max_bytes} are allowed")


def main():
    """Runs the steps; any failure ends with a non-zero status and no output file."""
    parser = argparse.ArgumentParser(description="finish a linked image")
    parser.add_argument("--objcopy", default="objcopy")
    parser.add_argument("--max-bytes", type=int, default=256 * 1024)
    parser.add_argument("linked")
    parser.add_argument("elf")
    parser.add_argument("image")
    options = parser.parse_args()
    ksyms = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ksyms.py")

    for path in (options.elf, options.image):
        if os.path.exists(path):
            os.unlink(path)
    if os.path.exists(ksyms):
        subprocess.run([sys.executable, ksyms, options.linked, options.elf], check=True)
    else:
        shutil.copyfile(options.linked, options.elf)
    raw = options.image + ".tmp"
    subprocess.run([options.objcopy, "-O", "binary", options.elf, raw], check=True)
    with open(raw, "rb") as file:
        image = file.read()
    os.unlink(raw)
    image += bytes(-len(image) % PAGE_BYTES)
    check(image, options.image, options.max_bytes)
    with open(options.image, "wb") as file:
        file.write(image)


if __name__ == "__main__":
    main()
