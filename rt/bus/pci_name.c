/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of PCI vendors, devices and classes, unpacked from the table of tools/pciids.py. */
#include <rt/pci.h>

#include <rt/pci_name.h>

enum {
    PAIR_CODE_FIRST = 128,
    /* A code stands for two earlier ones, so 128 codes nest at most 128 deep. */
    NEST_MAX = 129,
};

/* Writes the text of one code; returns the new length. */
static size_t unpack_code(uint8_t code, char *out, size_t length)
{
    uint8_t todo[NEST_MAX];
    uint32_t depth = 0;
    todo[depth++] = code;
    while (depth > 0 && length < PCI_NAME_BYTES - 1) {
        uint8_t next = todo[--depth];
        if (next < PAIR_CODE_FIRST) {
            out[length++] = (char)next;
            continue;
        }
        const uint8_t *pair = pci_name_pairs[next - PAIR_CODE_FIRST];
        todo[depth++] = pair[1];
        todo[depth++] = pair[0];
    }
    return length;
}

static const char *unpack(uint32_t at, char out[PCI_NAME_BYTES])
{
    size_t length = 0;
    for (; at < pci_name_text_bytes && pci_name_text[at] != 0; at++)
        length = unpack_code(pci_name_text[at], out, length);
    out[length] = '\0';
    return out;
}

static const struct pci_vendor_row *find_vendor(uint16_t vendor)
{
    for (uint32_t i = 0; i < pci_vendor_count; i++)
        if (pci_vendor_rows[i].vendor == vendor)
            return &pci_vendor_rows[i];
    return NULL;
}

const char *pci_vendor_name(uint16_t vendor)
{
    static char name[PCI_NAME_BYTES];
    const struct pci_vendor_row *row = find_vendor(vendor);
    return row != NULL ? unpack(row->name, name) : "";
}

const char *pci_device_name(uint16_t vendor, uint16_t device)
{
    static char name[PCI_NAME_BYTES];
    const struct pci_vendor_row *row = find_vendor(vendor);
    if (row == NULL)
        return "";
    for (uint32_t i = row[0].first_device; i < row[1].first_device; i++)
        if (pci_device_rows[i].device == device)
            return unpack(pci_device_rows[i].name, name);
    return "";
}

const char *pci_class_name(uint8_t class_code, uint8_t subclass)
{
    static char name[PCI_NAME_BYTES];
    const struct pci_class_row *any = NULL;
    for (uint32_t i = 0; i < pci_class_count; i++) {
        const struct pci_class_row *row = &pci_class_rows[i];
        if (row->class_code != class_code)
            continue;
        if (row->subclass == subclass)
            return unpack(row->name, name);
        if (row->subclass == PCI_SUBCLASS_ANY)
            any = row;
    }
    return any != NULL ? unpack(any->name, name) : "";
}
