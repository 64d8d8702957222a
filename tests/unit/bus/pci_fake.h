/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration space that keeps the rules of the real one. Included once, behind pci.c. */
#ifndef TESTS_BUS_PCI_FAKE_H
#define TESTS_BUS_PCI_FAKE_H


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

#endif
