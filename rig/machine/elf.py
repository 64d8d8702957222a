# SPDX-License-Identifier: BSD-2-Clause
"""Symbols of an ELF64 file: where a function lies, which function an address is in."""
import bisect
import struct

SHT_SYMTAB = 2
STT_FUNC = 2
PT_LOAD = 1


class Elf:
    """Function symbols, as offsets from `_image_base` (whose address at run time the image says
    in its boot line), or from the first loaded byte of a file that has no such symbol."""

    def __init__(self, path):
        self.path = str(path)
        with open(path, "rb") as file:
            data = file.read()
        if data[:5] != b"\x7fELF\x02":
            raise ValueError(f"{path}: not an ELF64 file")
        self.link_base = self._first_load(data)
        # Every function: two files may have one of the same name, of which `functions` keeps one.
        spans = sorted((value - self.link_base, size, name)
                       for name, value, size in self._read_symbols(data))
        self.functions = {name: (offset, size) for offset, size, name in spans}
        self._starts = [span[0] for span in spans]
        self._spans = spans

    @staticmethod
    def _first_load(data):
        table, = struct.unpack_from("<Q", data, 32)
        entry_bytes, count = struct.unpack_from("<HH", data, 54)
        loads = []
        for i in range(count):
            kind, _, _, vaddr = struct.unpack_from("<IIQQ", data, table + i * entry_bytes)
            if kind == PT_LOAD:
                loads.append(vaddr)
        return min(loads)

    def _read_symbols(self, data):
        """(name, address, bytes) of every function; the link base on the way."""
        table, = struct.unpack_from("<Q", data, 40)
        entry_bytes, count = struct.unpack_from("<HH", data, 58)
        functions = []
        sections = [struct.unpack_from("<IIQQQQII", data, table + i * entry_bytes)
                    for i in range(count)]
        for _, kind, _, _, offset, size, link, _ in sections:
            if kind != SHT_SYMTAB:
                continue
            names_at = sections[link][4]
            for at in range(offset, offset + size, 24):
                name, info, _, _, value, length = struct.unpack_from("<IBBHQQ", data, at)
                end = data.index(b"\0", names_at + name)
                text = data[names_at + name:end].decode()
                if text == "_image_base":
                    self.link_base = value
                elif text and info & 15 == STT_FUNC:
                    functions.append((text, value, length))
        return functions

    def offset(self, name):
        """Offset of a function from the start of the image; KeyError names what is missing."""
        if name not in self.functions:
            raise KeyError(f"{self.path}: no function {name}")
        return self.functions[name][0]

    def function_at(self, offset):
        """Name of the function that holds an offset, or None."""
        i = bisect.bisect_right(self._starts, offset) - 1
        if i >= 0 and offset < self._spans[i][0] + max(self._spans[i][1], 1):
            return self._spans[i][2]
        return None
