#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fills the section .ksyms of a linked image with the names of its functions.

usage: ksyms.py IN.elf OUT.elf

The layout is described in rt/x86/symbols.c, which reserves the room and reads it. Only the
bytes of that section change, so nothing in the file moves. Fails when the room is too small.
"""
import os
import re
import struct
import sys

MAGIC = 0x4d59534b  # "KSYM"
SHT_SYMTAB, SHF_EXECINSTR, STT_FUNC = 2, 4, 2
# What compilers append to copies of a function; the reader wants the source's name.
COPY_SUFFIX = re.compile(r"\.(constprop|isra|part|cold|lto_priv|llvm)\b.*")


class Section:
    def __init__(self, name, fields):
        self.name = name
        (_, self.type, self.flags, self.addr, self.offset, self.size, self.link, _, _,
         _) = fields

    def bytes_of(self, data):
        return data[self.offset:self.offset + self.size]


def c_string(table, at):
    return table[at:table.index(b"\0", at)].decode("ascii", "replace")


def read_sections(data):
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian ELF64 file")
    shoff, = struct.unpack_from("<Q", data, 0x28)
    shentsize, shnum, shstrndx = struct.unpack_from("<HHH", data, 0x3a)
    raw = [struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize)
           for i in range(shnum)]
    names = data[raw[shstrndx][4]:raw[shstrndx][4] + raw[shstrndx][5]]
    return [Section(c_string(names, fields[0]), fields) for fields in raw]


def read_functions(data, sections):
    """{address: name} of every function; of several names the first by alphabet."""
    functions = {}
    for table in (s for s in sections if s.type == SHT_SYMTAB):
        strings = sections[table.link].bytes_of(data)
        symbols = struct.iter_unpack("<IBBHQQ", table.bytes_of(data))
        for name_at, info, _, index, value, _ in symbols:
            if info & 15 != STT_FUNC or index == 0 or index >= len(sections):
                continue
            if not sections[index].flags & SHF_EXECINSTR:
                continue
            name = COPY_SUFFIX.sub("", c_string(strings, name_at))
            functions[value] = min(functions.get(value, name), name)
    return functions


def build_table(functions, text_end, base):
    entries = sorted(functions.items()) + [(text_end, "")]
    names = b""
    place = {}
    for _, name in entries:
        if name not in place:
            place[name] = len(names)
            names += name.encode() + b"\0"
    names_at = 8 + 8 * len(entries)
    table = struct.pack("<II", MAGIC, len(entries))
    for address, name in entries:
        table += struct.pack("<iI", address - base, names_at + place[name])
    return table + names


def fill(data):
    sections = read_sections(data)
    rooms = [s for s in sections if s.name == ".ksyms"]
    if len(rooms) != 1:
        raise ValueError("no section .ksyms: the linker script must keep it")
    room = rooms[0]
    text_end = max(s.addr + s.size for s in sections if s.flags & SHF_EXECINSTR)
    functions = read_functions(data, sections)
    table = build_table(functions, text_end, room.addr)
    if len(table) > room.size:
        raise ValueError("%d functions need %d bytes, .ksyms has %d: raise SYMBOLS_BYTES in "
                         "rt/x86/symbols.c" % (len(functions), len(table), room.size))
    table += bytes(room.size - len(table))
    return data[:room.offset] + table + data[room.offset + room.size:]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, target = sys.argv[1:]
    with open(source, "rb") as f:
        data = f.read()
    try:
        data = fill(data)
    except ValueError as error:
        sys.exit("ksyms: %s: %s" % (source, error))
    with open(target, "wb") as f:
        f.write(data)
    os.chmod(target, 0o755)


main()
