/* SPDX-License-Identifier: BSD-2-Clause */
/* The packed table, as generated from this machine's PCI ID database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rt/pci.h>
#include <rt/pci_name.h>

static void test_known(void **state)
{
    (void)state;
    assert_string_equal(pci_vendor_name(0x8086), "Intel Corporation");
    assert_string_equal(pci_device_name(0x8086, 0x10d3), "82574L Gigabit Network Connection");
    assert_string_equal(pci_class_name(0x02, 0x00), "Ethernet controller");
    assert_string_equal(pci_class_name(0x06, 0x04), "PCI bridge");
    assert_string_equal(pci_class_name(0x02, 0x77), "Network controller");
}

static void test_unknown(void **state)
{
    (void)state;
    assert_string_equal(pci_vendor_name(0xffff), "");
    assert_string_equal(pci_vendor_name(0), "");
    assert_string_equal(pci_device_name(0x8086, 0xffff), "");
    assert_string_equal(pci_device_name(0xffff, 0x10d3), "");
    assert_string_equal(pci_class_name(0x77, 0), "");
}

/* Reads the database again by other means and compares every row of the table with it. */
static uint32_t compare(FILE *database)
{
    char line[512];
    unsigned vendor = 0x10000;
    uint32_t compared = 0;
    while (fgets(line, sizeof(line), database) != NULL && line[0] != 'C') {
        unsigned number;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] != '\t' && sscanf(line, "%4x", &number) == 1 && line[4] == ' ')
            vendor = number;
        if (line[0] != '\t' || line[1] == '\t' || sscanf(line, "\t%4x", &number) != 1)
            continue;
        const char *name = pci_device_name((uint16_t)vendor, (uint16_t)number);
        bool plain = strlen(line + 7) < PCI_NAME_BYTES;
        for (const char *c = line + 7; *c != '\0'; c++)
            plain = plain && *c > 0;
        if (name[0] == '\0' || !plain)
            continue;
        assert_string_equal(name, line + 7);
        compared++;
    }
    return compared;
}

static void test_against_database(void **state)
{
    FILE *database = fopen(PCI_IDS, "r");
    (void)state;
    assert_non_null(database);
    uint32_t compared = compare(database);
    (void)fclose(database);
    assert_true(compared > 1500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_against_database),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
