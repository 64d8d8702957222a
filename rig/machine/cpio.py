# SPDX-License-Identifier: BSD-2-Clause
"""Boot modules as one cpio archive of the "newc" form (what -initrd and GRUB take)."""


def pack(files):
    """`files`: (name, bytes) pairs. Returns the archive."""
    out = bytearray()
    for inode, (name, data) in enumerate(list(files) + [("TRAILER!!!", b"")], start=1):
        encoded = name.encode() + b"\0"
        mode = 0o100644 if name != "TRAILER!!!" else 0
        fields = (inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        out += b"\0" * (-len(out) % 4)
        out += data
        out += b"\0" * (-len(out) % 4)
    return bytes(out)


def write(path, modules):
    """`modules`: (name, path) pairs."""
    files = []
    for name, source in modules:
        with open(source, "rb") as file:
            files.append((name, file.read()))
    with open(path, "wb") as archive:
        archive.write(pack(files))
