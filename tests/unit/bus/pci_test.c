/* SPDX-License-Identifier: BSD-2-Clause */
/* pci.c on a fake configuration space that keeps the rules of the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../../rt/bus/pci.c"

#include <rt/assert.h>
#include <rt/log.h>

enum { FUNCTIONS_MAX = 400, DWORDS = 64, BARS_BASE = 0x10 / 4, TABLE_BYTES = 4096 };

/* One function: registers, which bits may be written, which clear when written as one. */
struct fake {
    uint32_t bdf;
    uint32_t reg[DWORDS], writable[DWORDS], clears[DWORDS];
    bool gone;
};

static struct fake fakes[FUNCTIONS_MAX];
static uint32_t fake_count;
static struct hal_pci_range ranges[3];
static uint32_t range_count;
static uint32_t reads, writes;
static uint32_t sized_while_decoding; /* BAR writes with memory decode on */
static uint8_t bar_memory[TABLE_BYTES * 2];
static char log_text[4096];

static struct fake *find(uint32_t bdf)
{
    for (uint32_t i = 0; i < fake_count; i++)
        if (fakes[i].bdf == bdf && !fakes[i].gone)
            return &fakes[i];
    return NULL;
}

uint32_t hal_pci_read32(uint32_t bdf, uint32_t offset)
{
    const struct fake *f = find(bdf);
    reads++;
    assert_int_equal(offset % 4, 0);
    return f != NULL ? f->reg[offset / 4 % DWORDS] : UINT32_MAX;
}

void hal_pci_write32(uint32_t bdf, uint32_t offset, uint32_t value)
{
    struct fake *f = find(bdf);
    uint32_t i = offset / 4 % DWORDS;
    writes++;
    if (f == NULL)
        return;
    if (i >= BARS_BASE && i < BARS_BASE + 6 && (f->reg[1] & PCI_COMMAND_MEMORY) != 0)
        sized_while_decoding++;
    f->reg[i] &= ~(value & f->clears[i]);
    f->reg[i] = (f->reg[i] & ~f->writable[i]) | (value & f->writable[i]);
}

bool hal_pci_range(uint32_t index, struct hal_pci_range *range)
{
    if (index < range_count)
        *range = ranges[index];
    return index < range_count;
}

enum rt_status hal_map_mmio(phys_t phys, size_t bytes, struct hal_mmio *mmio)
{
    assert_true(bytes <= sizeof(bar_memory));
    *mmio = (struct hal_mmio){.base = bar_memory, .bytes = bytes};
    return RT_OK;
}

void rt_log(const char *fmt, ...)
{
    size_t used = strlen(log_text);
    va_list args;
    va_start(args, fmt);
    used += (size_t)vsnprintf(log_text + used, sizeof(log_text) - used, fmt, args);
    va_end(args);
    (void)snprintf(log_text + used, sizeof(log_text) - used, "\n");
}

void rt_assert_failed(const char *file, int line, const char *expr, uint64_t left,
                      uint64_t right)
{
    mock_assert(0, expr, file, line);
    __builtin_unreachable();
}

static struct fake *add(uint32_t bdf, uint32_t id, uint32_t class)
{
    assert_true(fake_count < FUNCTIONS_MAX);
    struct fake *f = &fakes[fake_count++];
    *f = (struct fake){.bdf = bdf};
    f->reg[0] = id;
    f->reg[1] = PCI_COMMAND_BUS_MASTER | PCI_COMMAND_MEMORY;
    f->writable[1] = PCI_COMMAND_MASK;
    f->clears[1] = 0xf9000000; /* status bits */
    f->reg[2] = class << 8;
    return f;
}

static struct fake *add_bridge(uint32_t bdf, uint32_t secondary, uint32_t subordinate)
{
    struct fake *f = add(bdf, 0x000c1b36, 0x060400);
    f->reg[3] = (uint32_t)PCI_HEADER_BRIDGE << 16;
    f->reg[6] = bdf >> 8 | secondary << 8 | subordinate << 16;
    return f;
}

static void set_multi(struct fake *f)
{
    f->reg[3] |= PCI_HEADER_MULTI;
}

static void set_bar(struct fake *f, uint32_t bar, uint32_t low_bits, uint64_t base,
                    uint64_t bytes)
{
    bool wide = (low_bits & 6) == 4;
    f->reg[BARS_BASE + bar] = (uint32_t)base | low_bits;
    f->writable[BARS_BASE + bar] = (uint32_t)~(bytes - 1) & PCI_BAR_MEMORY_MASK;
    if (!wide)
        return;
    f->reg[BARS_BASE + bar + 1] = (uint32_t)(base >> 32);
    f->writable[BARS_BASE + bar + 1] = (uint32_t)(~(bytes - 1) >> 32);
}

static void add_cap(struct fake *f, uint32_t at, uint32_t id, uint32_t next)
{
    f->reg[1] |= PCI_STATUS_CAP_LIST;
    if (f->reg[13] == 0)
        f->reg[13] = at;
    f->reg[at / 4] |= id | next << 8;
}

static int setup(void **state)
{
    (void)state;
    fake_count = 0;
    memset(ranges, 0, sizeof(ranges));
    range_count = 1;
    log_text[0] = '\0';
    reads = writes = sized_while_decoding = 0;
    memset(bar_memory, 0xee, sizeof(bar_memory));
    return 0;
}

/* q35 in small: host bridge, root port with a NIC behind it, function 3 of a multi device. */
static void build_machine(void)
{
    add(0x0000, 0x29c08086, 0x060000);
    add_bridge(0x0008, 1, 1);
    struct fake *nic = add(0x0100, 0x10d38086, 0x020000);
    nic->reg[11] = 0xa01f8086;
    set_multi(add(0x00f8, 0x29188086, 0x060100));
    add(0x00fb, 0x29308086, 0x0c0500);
    add(0x00fa, 0x29228086, 0x010601);
    add(0x0018, 0x00101b36, 0x010802); /* NVMe */
    add(0x0011, 0x12345678, 0xff0000); /* function 1 without function 0: not there */
}

static void test_scan(void **state)
{
    (void)state;
    build_machine();
    pci_scan();
    assert_int_equal(pci_table.count, 2); /* what no driver wants is counted only */
    assert_string_equal(log_text,
                        "pci functions=7 buses=2 bridges=1 network_nvme=2 quieted=2\n");
    const struct pci_dev *nic = NULL;
    for (uint32_t i = 0; i < pci_table.count; i++)
        if (pci_table.dev[i].device == 0x10d3)
            nic = &pci_table.dev[i];
    assert_non_null(nic);
    assert_int_equal(nic->bdf, 0x100);
    assert_int_equal(nic->parent_bdf, 0x0008);
    assert_int_equal(nic->vendor, 0x8086);
    assert_int_equal(nic->subvendor, 0x8086);
    assert_int_equal(nic->subdevice, 0xa01f);
    assert_int_equal(nic->class_code, 2);
    assert_int_equal(pci_table.dev[0].parent_bdf, UINT32_MAX);
}

/* Bridges that point at themselves, at each other, at bus 0, and at nothing. */
static void test_scan_loops(void **state)
{
    (void)state;
    add_bridge(0x0008, 1, 255);
    add_bridge(0x0010, 0, 0);
    add_bridge(0x0018, 1, 1);
    add_bridge(0x0100, 2, 255);
    add_bridge(0x0200, 1, 255);
    add_bridge(0x0208, 2, 255);
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=6 buses=3 bridges=6 network_nvme=0 quieted=0\n");
    assert_true(reads < 3 * 32 * 8 * 4);
}

static void test_scan_overflow(void **state)
{
    (void)state;
    set_multi(add_bridge(0, 1, 1));
    for (uint32_t fn = 1; fn < 300; fn++)
        set_multi(add(fn, 0x10d38086, 0x020000));
    pci_scan();
    assert_int_equal(pci_table.count, PCI_DEVICES_MAX);
    assert_string_equal(log_text,
                        "pci functions=300 buses=2 bridges=1 network_nvme=256 quieted=299\n"
                        "pci warning=\"more than 256 network and NVMe functions: the last 43"
                        " are not used\"\n");
}

static void test_scan_peer_root(void **state)
{
    (void)state;
    build_machine();
    add_bridge(0x8008, 0x81, 0x81);
    struct fake *nic = add(0x8100, 0x10fb8086, 0x020000);
    assert_int_equal(pci_quiet(), 2); /* tables not read yet: only what is below bus 0 */
    ranges[0].last_bus = 0x90;
    pci_scan();
    assert_int_equal(pci_table.count, 3);
    assert_string_equal(log_text,
                        "pci functions=9 buses=4 bridges=2 network_nvme=3 quieted=1\n");
    assert_int_equal(nic->reg[1], PCI_COMMAND_MEMORY);
    ranges[0].last_bus = 0x7f;
    pci_scan();
    assert_int_equal(pci_table.count, 2);
}

/* The uncore of a Xeon E5 v3: 78 functions that no driver wants, on the socket's last bus. */
static void add_uncore(uint32_t bus)
{
    for (uint32_t i = 0; i < 78; i++)
        set_multi(add(bus << 8 | (8 + i / 4) << 3 | i % 4, 0x2f808086 + (i << 16), 0x088000));
}

static void add_nic(uint32_t bdf)
{
    set_multi(add(bdf, 0x10fb8086, 0x020000));
}

/* FD.io's UCS C240: 218 functions, a dual 82599 on each socket; the second socket's are far
 * behind place 128. */
static void test_scan_two_sockets(void **state)
{
    (void)state;
    const uint32_t nics[] = {0x0a00, 0x0a01, 0x8500, 0x8501};
    for (uint32_t fn = 0; fn < 40; fn++) /* chipset, DMA engines, two root ports */
        if (fn == 8)
            set_multi(add_bridge(fn, 0x0a, 0x0a));
        else
            set_multi(add(fn, 0x2f208086, 0x088000));
    add_uncore(0x7f);
    for (uint32_t fn = 0; fn < 18; fn++)
        if (fn == 16)
            set_multi(add_bridge(0x8000 | fn, 0x85, 0x85));
        else
            set_multi(add(0x8000 | fn, 0x2f208086, 0x088000));
    add_uncore(0xff);
    for (uint32_t i = 0; i < 4; i++)
        add_nic(nics[i]);
    assert_int_equal(fake_count, 218);
    ranges[0].last_bus = 0xff;
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=218 buses=6 bridges=2 network_nvme=4 quieted=4\n");
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(pci_table.dev[i].bdf, nics[i]);
    assert_int_equal(pci_table.dev[3].parent_bdf, 0x8010);
}

/* A segment has buses of its own: the same numbers again, and other functions there. */
static void test_scan_segments(void **state)
{
    (void)state;
    build_machine();
    add(0x10000, 0x20208086, 0x060000);
    add_bridge(0x10008, 1, 1);
    add_nic(0x10100);
    add_bridge(0x18008, 0x81, 0x81); /* another host bridge of segment 1 */
    add_nic(0x18100);
    add(0x34000, 0x20208086, 0x060000);
    add_nic(0x34008);
    range_count = 3;
    ranges[1] = (struct hal_pci_range){.segment = 1, .last_bus = 0xff};
    ranges[2] = (struct hal_pci_range){.segment = 3, .first_bus = 0x40, .last_bus = 0x5f};
    pci_scan();
    assert_string_equal(log_text,
                        "pci functions=14 buses=7 bridges=3 network_nvme=5 quieted=5\n");
    assert_int_equal(pci_table.dev[1].bdf, 0x0100);
    assert_int_equal(pci_table.dev[1].parent_bdf, 0x0008);
    assert_int_equal(pci_table.dev[2].bdf, 0x10100);
    assert_int_equal(pci_table.dev[2].parent_bdf, 0x10008);
    assert_int_equal(pci_table.dev[3].bdf, 0x18100);
    assert_int_equal(pci_table.dev[4].bdf, 0x34008);
    assert_int_equal(pci_table.dev[4].parent_bdf, UINT32_MAX);
}

static void test_quiet(void **state)
{
    (void)state;
    build_machine();
    find(0x100)->reg[1] |= UINT32_C(0xf9000000); /* error bits that must not be cleared */
    assert_int_equal(pci_quiet(), 2);
    assert_int_equal(find(0x100)->reg[1], UINT32_C(0xf9000000) | PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x0018)->reg[1], PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x00fa)->reg[1] & 4, 4); /* AHCI keeps it */
    assert_int_equal(find(0x0008)->reg[1] & 4, 4); /* bridges must */
    assert_int_equal(pci_quiet(), 0);
}

/* The end of the machine: DMA of all that drivers may have taken, and of nothing else. */
static void test_silence(void **state)
{
    (void)state;
    build_machine();
    pci_scan();
    find(0x100)->reg[1] |= UINT32_C(0xf9000000) | PCI_COMMAND_BUS_MASTER;
    find(0x018)->gone = true;
    pci_silence();
    assert_int_equal(find(0x100)->reg[1], UINT32_C(0xf9000000) | PCI_COMMAND_MEMORY);
    assert_int_equal(find(0x008)->reg[1] & PCI_COMMAND_BUS_MASTER, PCI_COMMAND_BUS_MASTER);
}

static void test_command(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    f->reg[1] = UINT32_C(0xf9000000);
    pci_bus_master(&dev, true);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000006));
    pci_intx(&dev, false);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000406));
    pci_intx(&dev, true);
    pci_bus_master(&dev, false);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000002));
    pci_write16(&dev, PCI_COMMAND, 0x0107);
    assert_int_equal(f->reg[1], UINT32_C(0xf9000107));
    f->reg[15] = 0xaabbccdd;
    f->writable[15] = UINT32_MAX;
    pci_write16(&dev, 0x3e, 0x1122);
    assert_int_equal(f->reg[15], 0x1122ccdd);
    pci_write16(&dev, 0x3c, 0x3344);
    assert_int_equal(f->reg[15], 0x11223344);
    assert_int_equal(pci_read16(&dev, 0x3e), 0x1122);
}

static void test_bars(void **state)
{
    (void)state;
    phys_t base = {0};
    size_t bytes = 0;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    set_bar(f, 0, 0, 0xfeb80000, 0x20000);
    set_bar(f, 1, 4, UINT64_C(0x4080000000), UINT64_C(0x80000000)); /* 64 bits, BARs 1 and 2 */
    f->reg[BARS_BASE + 3] = 0xc001;                                 /* I/O */
    set_bar(f, 4, 0, 0, 0x1000);                                    /* no address */
    assert_int_equal(pci_bar(&dev, 0, &base, &bytes), RT_OK);
    assert_int_equal(base.v, 0xfeb80000);
    assert_int_equal(bytes, 0x20000);
    assert_int_equal(pci_bar(&dev, 1, &base, &bytes), RT_OK);
    assert_int_equal(base.v, UINT64_C(0x4080000000));
    assert_int_equal(bytes, UINT64_C(0x80000000));
    assert_int_equal(f->reg[BARS_BASE + 2], 0x40); /* put back */
    assert_int_equal(pci_bar(&dev, 3, &base, &bytes), RT_UNSUPPORTED);
    assert_int_equal(pci_bar(&dev, 4, &base, &bytes), RT_NOT_FOUND);
    assert_int_equal(pci_bar(&dev, 5, &base, &bytes), RT_NOT_FOUND);
    assert_int_equal(pci_bar(&dev, 6, &base, &bytes), RT_INVALID);
    assert_int_equal(sized_while_decoding, 0);
    assert_int_equal(f->reg[1] & 7, 6); /* decode is back on */
}

static void test_bar_nonsense(void **state)
{
    (void)state;
    phys_t base;
    size_t bytes;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    set_bar(f, 1, 0, 0xfeb00000, 0x1000);
    f->writable[BARS_BASE + 1] = 0xfff0f000; /* holes in the size */
    assert_int_equal(pci_bar(&dev, 1, &base, &bytes), RT_IO);
    f->reg[BARS_BASE + 5] = 4; /* the upper half would be outside */
    assert_int_equal(pci_bar(&dev, 5, &base, &bytes), RT_IO);
    set_bar(f, 3, 4, UINT64_C(0x100000000), 0x4000); /* 64 bits wide, low half of base zero */
    assert_int_equal(pci_bar(&dev, 3, &base, &bytes), RT_OK);
    assert_int_equal(base.v, UINT64_C(0x100000000));
    f->reg[3] = (uint32_t)PCI_HEADER_BRIDGE << 16;
    assert_int_equal(pci_bar(&dev, 2, &base, &bytes), RT_INVALID);
}

static void test_caps(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
    add_cap(f, 0xc8, 0x01, 0xd3); /* low bits of a pointer do not count */
    add_cap(f, 0xd0, 0x05, 0xe0);
    add_cap(f, 0xe0, 0x10, 0);
    assert_int_equal(pci_find_cap(&dev, 0x01), 0xc8);
    assert_int_equal(pci_find_cap(&dev, 0x10), 0xe0);
    assert_int_equal(pci_find_cap(&dev, 0x11), 0);
    add_cap(f, 0xe0, 0, 0xc8); /* now it is a loop */
    reads = 0;
    assert_int_equal(pci_find_cap(&dev, 0x11), 0);
    assert_true(reads <= PCI_CAPS_MAX + 3);
    f->reg[13] = 0x10; /* points into the header */
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
    f->reg[1] &= ~PCI_STATUS_CAP_LIST;
    f->reg[13] = 0xc8;
    assert_int_equal(pci_find_cap(&dev, 0x10), 0);
}

static void test_aspm(void **state)
{
    (void)state;
    struct fake *port = add_bridge(0x08, 1, 1);
    struct fake *nic = add(0x100, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x100, .parent_bdf = 0x08};
    struct fake *both[] = {port, nic};
    for (uint32_t i = 0; i < 2; i++) {
        add_cap(both[i], 0xe0, PCI_CAP_EXPRESS, 0);
        both[i]->reg[0xf0 / 4] = UINT32_C(0xc0110043); /* L0s and L1, status bits set */
        both[i]->writable[0xf0 / 4] = 0xffff;
        both[i]->clears[0xf0 / 4] = UINT32_C(0xc0000000);
    }
    pci_aspm_off(&dev);
    assert_int_equal(port->reg[0xf0 / 4], UINT32_C(0xc0110040));
    assert_int_equal(nic->reg[0xf0 / 4], UINT32_C(0xc0110040));
    writes = 0;
    pci_aspm_off(&(struct pci_dev){.bdf = 0x100, .parent_bdf = UINT32_MAX});
    assert_int_equal(writes, 0);
}

static struct fake *add_msix(uint32_t entries, uint32_t offset, uint64_t bar_bytes)
{
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    set_bar(f, 3, 0, 0xfebd0000, bar_bytes);
    add_cap(f, 0xa0, PCI_CAP_MSIX, 0);
    f->reg[0xa0 / 4] |= (entries - 1) << 16;
    f->writable[0xa0 / 4] = PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL;
    f->reg[0xa4 / 4] = offset | 3;
    return f;
}

static uint32_t table_word(uint32_t at)
{
    uint32_t v;
    memcpy(&v, bar_memory + at, 4);
    return v;
}

static void test_msix(void **state)
{
    (void)state;
    struct fake *f = add_msix(5, 0x800, 0x1000);
    struct pci_dev dev = {.bdf = 0x10};
    const struct hal_irq irq = {.msi_address = UINT64_C(0x1fee01000), .msi_data = 0x41};
    assert_int_equal(pci_msix_count(&dev), 5);
    assert_int_equal(pci_msix_enable(&dev), RT_OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(table_word(0x800 + i * 16 + 12), PCI_MSIX_ENTRY_MASKED);
    assert_int_equal(table_word(0x7fc), 0xeeeeeeee); /* nothing before or behind */
    assert_int_equal(table_word(0x850), 0xeeeeeeee);
    assert_int_equal(f->reg[0xa0 / 4] >> 30, 2); /* on, not masked as a whole */
    assert_int_equal(f->reg[1] & PCI_COMMAND_INTX_OFF, PCI_COMMAND_INTX_OFF);
    pci_msix_set(&dev, 4, &irq);
    assert_int_equal(table_word(0x840), 0xfee01000);
    assert_int_equal(table_word(0x844), 1);
    assert_int_equal(table_word(0x848), 0x41);
    assert_int_equal(table_word(0x84c), 0);
    pci_msix_set(&dev, 4, NULL);
    assert_int_equal(table_word(0x84c), PCI_MSIX_ENTRY_MASKED);
    expect_assert_failure(pci_msix_set(&dev, 5, &irq));
    pci_msix_disable(&dev);
    assert_int_equal(f->reg[0xa0 / 4] >> 31, 0);
    expect_assert_failure(pci_msix_set(&dev, 0, &irq));
}

static void test_msix_bad_table(void **state)
{
    (void)state;
    struct pci_dev dev = {.bdf = 0x10};
    add_msix(5, 0xfc0, 0x1000); /* 80 bytes at 64 before the end */
    assert_int_equal(pci_msix_enable(&dev), RT_IO);
    fake_count = 0;
    add_msix(5, 0x80000000, 0x1000);
    assert_int_equal(pci_msix_enable(&dev), RT_IO);
    fake_count = 0;
    add_msix(5, 0, 0x1000)->reg[0xa4 / 4] = 7; /* no such BAR */
    assert_int_equal(pci_msix_enable(&dev), RT_INVALID);
    assert_int_equal(dev.msix_entries, 0);
    fake_count = 0;
    add_msix(2048, 0, 0x2000); /* more than we use, inside its BAR */
    assert_int_equal(pci_msix_count(&dev), PCI_MSIX_VECTORS_MAX);
    add(0x20, 0x10d38086, 0x020000);
    dev.bdf = 0x20;
    assert_int_equal(pci_msix_enable(&dev), RT_UNSUPPORTED);
}

static void test_msi(void **state)
{
    (void)state;
    struct fake *f = add(0x10, 0x10d38086, 0x020000);
    const struct pci_dev dev = {.bdf = 0x10};
    struct hal_irq irq = {.msi_address = UINT64_C(0x2fee00000), .msi_data = 0x4031};
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED);
    add_cap(f, 0xd0, PCI_CAP_MSI, 0);
    f->reg[0xd0 / 4] |= PCI_MSI_64BIT | PCI_MSI_MASKABLE | FIELD_PUT(PCI_MSI_VECTORS, 3);
    for (uint32_t i = 0xd0 / 4; i <= 0xe0 / 4; i++)
        f->writable[i] = i == 0xd0 / 4 ? PCI_MSI_ENABLE | PCI_MSI_VECTORS : UINT32_MAX;
    f->reg[0xe0 / 4] = 1; /* masked by a loader */
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_OK);
    assert_int_equal(f->reg[0xd4 / 4], 0xfee00000);
    assert_int_equal(f->reg[0xd8 / 4], 2);
    assert_int_equal(f->reg[0xdc / 4], 0x4031);
    assert_int_equal(f->reg[0xe0 / 4], 0);
    assert_int_equal(f->reg[0xd0 / 4] & (PCI_MSI_ENABLE | PCI_MSI_VECTORS), PCI_MSI_ENABLE);
    pci_msi_disable(&dev);
    assert_int_equal(f->reg[0xd0 / 4] & PCI_MSI_ENABLE, 0);

    f->reg[0xd0 / 4] &= ~(PCI_MSI_64BIT | PCI_MSI_MASKABLE);
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED); /* address needs 64 bits */
    irq.msi_address = 0xfee00000;
    f->reg[0xdc / 4] = 0x55;
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_OK);
    assert_int_equal(f->reg[0xd8 / 4], 0x4031);
    assert_int_equal(f->reg[0xdc / 4], 0x55); /* belongs to nobody without a mask register */
}

/* Pulled out: everything reads all ones, nothing is written, every call comes back. */
static void test_gone(void **state)
{
    (void)state;
    phys_t base;
    size_t bytes;
    struct hal_mmio mmio;
    struct pci_dev dev = {.bdf = 0x10, .parent_bdf = 0x08};
    const struct hal_irq irq = {.msi_address = 0xfee00000};
    add_msix(5, 0x800, 0x1000)->gone = true;
    pci_bus_master(&dev, true);
    pci_intx(&dev, false);
    pci_aspm_off(&dev);
    assert_int_equal(pci_find_cap(&dev, 0xff), 0);
    assert_int_equal(pci_bar(&dev, 0, &base, &bytes), RT_IO);
    assert_int_equal(pci_map_bar(&dev, 0, &mmio), RT_IO);
    assert_int_equal(pci_msix_count(&dev), 0);
    assert_int_equal(pci_msix_enable(&dev), RT_UNSUPPORTED);
    assert_int_equal(pci_msi_enable(&dev, &irq), RT_UNSUPPORTED);
    pci_msix_disable(&dev);
    pci_msi_disable(&dev);
    assert_int_equal(writes, 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup(fn, setup)
    const struct CMUnitTest tests[] = {
        TEST(test_scan),         TEST(test_scan_loops), TEST(test_scan_overflow),
        TEST(test_scan_peer_root), TEST(test_scan_two_sockets), TEST(test_scan_segments),
        TEST(test_quiet),        TEST(test_silence), TEST(test_command),
        TEST(test_bars),         TEST(test_bar_nonsense), TEST(test_caps),
        TEST(test_aspm),         TEST(test_msix),       TEST(test_msix_bad_table),
        TEST(test_msi),          TEST(test_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
