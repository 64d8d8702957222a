/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From boot_info to the application: each part of the machine once, in the order in which
 * they depend on each other. What is wrong gives one clear line; the machine goes on
 * where it can, and else ends with a code (2: boot arguments, 3: memory).
 */
#include <rt/acpi.h>
#include <rt/app.h>
#include <rt/assert.h>
#include <rt/config.h>
#include <rt/hal.h>
#include <rt/image.h>
#include <rt/iommu.h>
#include <rt/log.h>
#include <rt/pci.h>

#include "apic.h"
#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "crc32.h"
#include "framebuffer.h"
#include "irq.h"
#include "memory.h"
#include "paging.h"
#include "pci_config.h"
#include "power.h"
#include "smp.h"
#include "trap.h"

enum { EXIT_ARGUMENTS = 2, EXIT_MEMORY = 3 };
#define IDENTITY_LIMIT (UINT64_C(1) << 46) /* reached by four levels, and by all RAM today */

/* When each part of the start was done, for the log. */
enum stage { STAGE_ENTRY, STAGE_CONSOLE, STAGE_TABLES, STAGE_PAGES, STAGE_CLOCK, STAGE_CORES,
             STAGE_PCI, STAGE_MODULES, STAGE_COUNT };
static uint64_t stage_cycles[STAGE_COUNT];

static const struct boot_info *boot;
static struct acpi_info acpi;

static void stage_done(enum stage stage)
{
    stage_cycles[stage] = hal_cycles();
}

/* Only now is the clock known. The first figure counts from our first instruction;
 * firmware_us of it passed inside the firmware's ExitBootServices. */
static void log_stages(const struct boot_info *bi)
{
    static const char *const names[STAGE_COUNT] = {"entry",  "console", "tables", "pages",
                                                   "clock",  "cores",   "pci",    "modules"};
    char text[RT_LOG_LINE_BYTES / 2];
    size_t used = 0;
    uint64_t last = bi->entry_cycles;

    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        used += rt_snprintf(text + used, sizeof(text) - used, " %s_us=%lu", names[i],
                            hal_us_from_cycles(stage_cycles[i] - last));
        last = stage_cycles[i];
    }
    rt_log("start app=%s us=%lu firmware_us=%lu%s", rt_app.name, hal_now_us(),
           hal_us_from_cycles(bi->firmware_cycles), text);
}

static void report_line(void *ctx, const char *line)
{
    rt_log("%s%s", (const char *)ctx, line);
}

static void log_boot(const struct boot_info *bi)
{
    static const char *const entries[] = {"?", "linux", "pvh", "efi"};

    rt_log("boot entry=%s loader=\"%s\" firmware=%s image_base=0x%lx image_end=0x%lx"
           " console=%s",
           entries[bi->entry < RT_ARRAY_SIZE(entries) ? bi->entry : 0], bi->loader,
           (bi->flags & BOOT_FLAG_UEFI) != 0 ? "uefi" : "bios", bi->image_base, bi->image_end,
           console_name());
    rt_log("boot cmdline=\"%s\"", bi->cmdline);
    if ((bi->flags & BOOT_FLAG_CMDLINE_TRUNCATED) != 0)
        rt_log("boot warning=\"command line is longer than %d bytes: its end is lost\"",
               BOOT_CMDLINE_BYTES - 1);
    if ((bi->flags & BOOT_FLAG_MODULES_TRUNCATED) != 0)
        rt_log("boot warning=\"more than %d modules: the others are lost\"", BOOT_MODULE_MAX);
    if ((bi->flags & BOOT_FLAG_MODULE_CUT_SHORT) != 0)
        rt_log("boot warning=\"a module is cut short: the archive ends inside a file\"");
    if ((bi->flags & BOOT_FLAG_MODULE_OVERLAP) != 0)
        rt_log("boot warning=\"the loader put a module over our image: its data is lost\"");
    if ((bi->flags & BOOT_FLAG_MEM_TRUNCATED) != 0)
        rt_log("boot warning=\"more than %d memory ranges: the others are not used\"",
               BOOT_MEM_MAX);
}

static void parse_arguments(const struct boot_info *bi)
{
    static char mistake[] = "argument mistake: ", nothing[] = "";
    const struct arg_result result =
        args_parse(rt_app.tables, bi->cmdline, report_line, mistake);

    if (result.help_asked)
        args_help(rt_app.tables, report_line, nothing);
    if (result.mistakes != 0) {
        rt_log("start state=stopped reason=\"%u mistakes in the boot arguments\"",
               result.mistakes);
        hal_exit(EXIT_ARGUMENTS);
    }
    if (result.help_asked)
        hal_exit(0);
}

RT_NORETURN static void too_little_memory(const char *what)
{
    rt_log("memory state=too_little what=\"%s\" ram_bytes=%lu free_bytes=%lu remedy=\"give the"
           " machine more memory\"", what, memory_ram_bytes(boot), hal_memory_free_bytes());
    hal_exit(EXIT_MEMORY);
}

/* ACPI tables lie in ranges of the map, or in the BIOS area; all below 4 GiB, which is what the
 * entry has mapped. */
static bool read_phys(void *ctx, uint64_t phys, void *out, size_t bytes)
{
    const uint64_t bios_area = 0x400, bios_end = 0x100000;
    bool allowed = phys >= bios_area && phys < bios_end && bytes <= bios_end - phys;

    if (bytes > MEMORY_4GIB || phys > MEMORY_4GIB - bytes)
        return false;
    for (uint32_t i = 0; i < boot->mem_count && !allowed; i++) {
        const struct boot_mem *m = &boot->mem[i];

        allowed = m->type != BOOT_MEM_BAD && phys >= m->base && phys - m->base < m->bytes &&
                  bytes <= m->bytes - (phys - m->base);
    }
    if (allowed)
        __builtin_memcpy(out, (const void *)(uintptr_t)phys, bytes);
    return allowed;
}

static void read_acpi(const struct boot_info *bi)
{
    const struct acpi_reader reader = {read_phys, NULL};
    const uint64_t rsdp = bi->rsdp != 0 ? bi->rsdp : acpi_find_rsdp(&reader);

    if (acpi_parse(&reader, rsdp, &acpi) != RT_OK)
        rt_log("acpi state=absent rsdp=0x%lx", rsdp);
}

/* Write-combining: a text console draws whole lines. */
static void map_framebuffer(const struct boot_framebuffer *fb)
{
    const uint64_t base = RT_ALIGN_DOWN(fb->base, RT_PAGE_BYTES);
    const uint64_t bytes = (uint64_t)fb->pitch_bytes * fb->height_px + (fb->base - base);
    enum rt_status st = RT_INVALID;

    if (fb->base == 0)
        return;
    if (base < paging_limit() && bytes <= paging_limit() - base &&
        !memory_is_ram(boot, base, bytes))
        st = paging_set(base, RT_ALIGN_UP(bytes, RT_PAGE_BYTES), PAGE_RW_WC);
    if (st != RT_OK) {
        fb_console_init(&(const struct boot_framebuffer){.base = 0}, 0);
        rt_log("framebuffer base=0x%lx state=unused reason=%s", fb->base, rt_status_name(st));
    }
}

static void log_nx(void)
{
    if (paging_nx_unlocked())
        rt_log("paging nx=on reason=\"firmware had switched Execute Disable off\"");
    if (!paging_nx())
        rt_log("paging nx=off reason=\"this processor has no Execute Disable, or firmware"
               " hides it: data can be executed\" remedy=\"switch XD or NX on in the"
               " firmware's setup\"");
}

/* Our own page tables, stacks and interrupt table; the boot stack is left behind. */
static void prepare_core0(const struct boot_info *bi)
{
    struct core *core = core_this();

    RT_ASSERT_EQ(core->id, 0u);
    if (paging_init(bi) != RT_OK)
        too_little_memory("page tables");
    log_nx();
    if (core_make_stacks(core) != RT_OK)
        too_little_memory("stacks");
    if (trap_init() != RT_OK)
        too_little_memory("page tables");
    map_framebuffer(&bi->fb);
    paging_setup_core();
    trap_setup_core(core);
    memory_set_limit(RT_MIN(IDENTITY_LIMIT, paging_limit()));
}

static void log_memory(const struct boot_info *bi)
{
    rt_log("memory ram_bytes=%lu free_bytes=%lu ranges=%u", memory_ram_bytes(bi),
           hal_memory_free_bytes(), bi->mem_count);
    rt_log("memory text_bytes=%lu rodata_bytes=%lu data_bytes=%lu bss_bytes=%lu"
           " page_table_bytes=%lu page_levels=%u core_stack_bytes=%u",
           (uint64_t)(_text_end - _text_start), (uint64_t)(_rodata_end - _rodata_start),
           (uint64_t)(_data_end - _data_start), (uint64_t)(_bss_end - _bss_start),
           paging_table_bytes(), paging_levels(),
           CORE_STACK_BYTES + (IST_COUNT - 1) * CORE_FAULT_STACK_BYTES);
}

static void log_modules(const struct boot_info *bi)
{
    for (uint32_t i = 0; i < bi->module_count && i < BOOT_MODULE_MAX; i++) {
        const struct boot_module *m = &bi->module[i];

        rt_log("module name=%s bytes=%lu crc32=0x%08x", m->name, m->bytes,
               crc32_ieee((const void *)(uintptr_t)m->base, m->bytes));
    }
}

static void log_cpu(void)
{
    uint32_t words[13] = {0}; /* 48 bytes of name and a NUL */
    const char *name = (const char *)words;

    if (x86_cpuid(0x80000000, 0).eax >= 0x80000004) {
        for (uint32_t i = 0; i < 3; i++) {
            const struct cpuid_regs r = x86_cpuid(0x80000002 + i, 0);

            words[4 * i] = r.eax;
            words[4 * i + 1] = r.ebx;
            words[4 * i + 2] = r.ecx;
            words[4 * i + 3] = r.edx;
        }
    }
    while (*name == ' ')
        name++;
    rt_log("cpu name=\"%s\"", name);
}

/* On the guarded stack of core 0. */
static void start_machine(void *arg)
{
    const struct boot_info *bi = arg;

    bool moved = console_use_spcr(&acpi.spcr); /* first: a mistake must be read there */

    RT_ASSERT(rt_app.main != NULL);
    RT_ASSERT(rt_app.tables != NULL);
    console_buffer(); /* a fault can be reported now, and sends what waits */
    if (moved)
        rt_log("console name=%s", console_name());
    power_init(&acpi); /* from here on hal_exit() can power off */
    parse_arguments(bi);
    log_cpu();
    irq_init(&acpi);
    if (apic_init() != RT_OK)
        rt_log("apic state=absent reason=\"one core, no interrupts\"");
    apic_init_core();
    if (clock_init(&acpi) != RT_OK)
        rt_log("clock warning=\"no timer on this machine counts: times are guesses\"");
    stage_done(STAGE_CLOCK);
    acpi_log(&acpi);
    smp_start(bi, &acpi, rt_config.cores);
    stage_done(STAGE_CORES);
    pci_config_init(&acpi);
    pci_scan();
    iommu_off(&acpi);
    stage_done(STAGE_PCI);
    log_memory(bi);
    log_modules(bi);
    stage_done(STAGE_MODULES);
    log_stages(bi);
    hal_exit(rt_app.main(bi));
}

void rt_start(const struct boot_info *bi)
{
    union {
        const struct boot_info *in;
        void *out;
    } arg = {.in = bi};

    core_init_boot();
    stage_done(STAGE_ENTRY);
    clock_start(bi->entry_cycles);
    console_init();
    fb_console_init(&bi->fb, MEMORY_4GIB);
    boot = bi;
    RT_ASSERT_EQ(bi->magic, BOOT_INFO_MAGIC);
    log_boot(bi);
    stage_done(STAGE_CONSOLE);
    memory_init(bi, MEMORY_4GIB);
    pci_quiet();
    read_acpi(bi);
    stage_done(STAGE_TABLES);
    prepare_core0(bi);
    stage_done(STAGE_PAGES);
    stack_switch(core_stack_top(core_this(), IST_NONE), start_machine, arg.out);
}
