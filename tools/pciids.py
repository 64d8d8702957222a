#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Makes the compact PCI name table of the image from the PCI ID database.

usage: pciids.py pci.ids OUT.c

Kept: network and NVMe devices of every vendor by the words of their names, and the names of
classes; other devices never get a line. Names are packed by replacing the most frequent pair of
codes again and again (byte pair encoding): codes below 128 are ASCII, code 128 + i stands for
pair i. rt/bus/pci_name.c unpacks.
"""
import collections
import re
import sys

TABLE_BYTES_MAX = 64 * 1024
NAME_BYTES_MAX = 120  # rt/include/rt/pci_name.h
PAIRS_MAX = 128
CLASSES = (0x01, 0x02, 0x06)

WANTED = re.compile(
    r"Ethernet|Network (Connection|Adapter)|NetXtreme|\bNIC\b|ConnectX|FastLinQ|GbE\b|"
    r"Gigabit|82599|Virtio network|vmxnet|NVMe|NVM Express|Non-Volatile|"
    r"Virtio (block|SCSI)", re.I)
UNWANTED = re.compile(r"Wireless|Wi-?Fi|WLAN|Modem|ISDN|Token|Audio|IDE\b", re.I)


def is_wanted(name):
    return bool(WANTED.search(name)) and not UNWANTED.search(name)


def clean(name):
    return name.encode("ascii", "ignore").decode()[:NAME_BYTES_MAX].strip()


def read_database(lines):
    """({vendor: name}, {(vendor, device): name}, {(class, subclass or None): name})"""
    vendors, devices, classes = {}, {}, {}
    vendor = base = None
    for line in lines:
        if line.startswith("#") or not line.strip() or line.startswith("\t\t"):
            continue
        match = re.match(r"(\t?)(C )?([0-9a-f]{2,4})  (.*)", line)
        if match is None:
            continue
        nested, is_class, number, name = match.groups()
        if is_class:
            vendor, base = None, int(number, 16)
            classes[base, None] = clean(name)
        elif nested and vendor is not None:
            if is_wanted(name):
                devices[int(vendor, 16), int(number, 16)] = clean(name)
        elif nested:
            classes[base, int(number, 16)] = clean(name)
        elif base is None:
            vendor = number
            vendors[int(vendor, 16)] = clean(name)
    with_devices = {v for v, _ in devices}
    return ({v: n for v, n in vendors.items() if v in with_devices}, devices,
            {k: n for k, n in classes.items() if k[0] in CLASSES})


def pack(names):
    """(names packed, pairs): names joined by newlines, so that no pair crosses an end."""
    text = "\n".join(names)
    pairs = []
    while len(pairs) < PAIRS_MAX:
        counts = collections.Counter(zip(text, text[1:]))
        counts = {pair: n for pair, n in counts.items() if "\n" not in pair}
        pair, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
        if count < 4:
            break
        text = text.replace(pair[0] + pair[1], chr(128 + len(pairs)))
        pairs.append((ord(pair[0]), ord(pair[1])))
    return [name.encode("latin-1") for name in text.split("\n")], pairs


def c_array(declaration, items, per_line):
    lines = [", ".join(items[i:i + per_line]) for i in range(0, len(items), per_line)]
    return "%s = {\n    %s\n};\n\n" % (declaration, ",\n    ".join(lines))


def generate(database):
    vendors, devices, classes = database
    names = sorted(set(vendors.values()) | set(devices.values()) | set(classes.values()))
    packed, pairs = pack(names)
    blob, place = b"", {}
    for name, data in zip(names, packed):
        place[name] = len(blob)
        blob += data + b"\0"
    vendor_rows, device_rows = [], []
    for vendor in sorted(vendors):
        vendor_rows.append("{0x%04x, %d, %d}" % (vendor, place[vendors[vendor]],
                                                 len(device_rows)))
        device_rows += ["{0x%04x, %d}" % (device, place[name])
                        for (owner, device), name in sorted(devices.items())
                        if owner == vendor]
    vendor_rows.append("{0xffff, 0, %d}" % len(device_rows))
    # A class without subclass is stored as subclass 0xff, which no class here has.
    class_rows = ["{0x%02x, 0x%02x, %d}" % (base, 0xff if sub is None else sub, place[name])
                  for (base, sub), name in sorted(classes.items(), key=str)]
    size = (len(blob) + 2 * len(pairs) + 6 * len(vendor_rows) + 4 * len(device_rows) +
            4 * len(class_rows))
    if len(blob) > 0xffff or size > TABLE_BYTES_MAX:
        raise ValueError("%d bytes, more than %d" % (size, TABLE_BYTES_MAX))
    out = "/* Made by tools/pciids.py from the PCI ID database: %d devices, %d bytes. */\n" % (
        len(device_rows), size)
    out += '#include <rt/pci_name.h>\n\n'
    out += c_array("const uint8_t pci_name_pairs[][2]",
                   ["{%d, %d}" % pair for pair in pairs], 12)
    out += c_array("const uint8_t pci_name_text[]", [str(b) for b in blob], 24)
    out += c_array("const struct pci_vendor_row pci_vendor_rows[]", vendor_rows, 4)
    out += c_array("const struct pci_device_row pci_device_rows[]", device_rows, 6)
    out += c_array("const struct pci_class_row pci_class_rows[]", class_rows, 5)
    out += "const uint32_t pci_vendor_count = %d;\n" % (len(vendor_rows) - 1)
    out += "const uint32_t pci_class_count = %d;\n" % len(class_rows)
    out += "const uint32_t pci_name_pair_count = %d;\n" % len(pairs)
    out += "const uint32_t pci_name_text_bytes = %d;\n" % len(blob)
    return out


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8", errors="replace") as f:
        database = read_database(f)
    text = generate(database)
    with open(sys.argv[2], "w") as f:
        f.write(text)


main()
