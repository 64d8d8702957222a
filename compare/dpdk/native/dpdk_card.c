/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Software cards for an unmodified DPDK, without root rights, huge pages or kernel driver:
 *  - EAL scans a directory of ours instead of the machine's PCI devices (SYSFS_PCI_DEVICES);
 *  - functions that EAL and its driver call through their linkage tables are defined here and
 *    win (-rdynamic): mapping a BAR, delays (in which the model looks at the registers), and
 *    interrupts, which nobody needs;
 *  - a BAR is recognised by its bus address, which the directory chose: the device structure is
 *    private to DPDK, but struct rte_mem_resource in it is public, so it is found by that value.
 */
#define _GNU_SOURCE
#include "dpdk_card.h"

#include <errno.h>
#include <rte_bus_pci.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_interrupts.h>
#include <rte_memory.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_BYTES 512 /* a longer TMPDIR fails in mkdtemp() */
#define FOLDER_BYTES (ROOT_BYTES + 64)
#define PATH_BYTES (FOLDER_BYTES + 64)
#define BUS_ADDRESS 0x5a82599000000ull
#define BUS_STRIDE 0x1000000ull
#define DEVICE_ID 0x10f7u /* a backplane card: no module to be read bit by bit */
#define DEVICE_WORDS 128u /* how far into the device structure to look */
#define STEP_NS 1000000ull

static struct native_card *plugged[DPDK_CARDS];
static unsigned plugged_count;
static char root[ROOT_BYTES];
static uint64_t now_ns;

/* ---- time: passes for the model only, so that bring-up takes no seconds ---- */

static void pass(unsigned us)
{
    now_ns += (uint64_t)us * 1000 + STEP_NS;
    for (unsigned i = 0; i < plugged_count; i++) {
        x82599_look(plugged[i]->dev);
        x82599_step(plugged[i]->dev, now_ns);
        x82599_look(plugged[i]->dev);
    }
}

void rte_delay_us_sleep(unsigned int us)
{
    pass(us);
}

/* ---- interrupts: none ---- */

int rte_intr_callback_register(const struct rte_intr_handle *handle, rte_intr_callback_fn cb,
                               void *arg)
{
    return 0;
}

int rte_intr_callback_unregister(const struct rte_intr_handle *handle, rte_intr_callback_fn cb,
                                 void *arg)
{
    return 0;
}

int rte_intr_enable(const struct rte_intr_handle *handle)
{
    return 0;
}

int rte_intr_disable(const struct rte_intr_handle *handle)
{
    return 0;
}

/* ---- memory: anonymous, so that 2 MiB pages can be had ---- */

int memfd_create(const char *name, unsigned int flags)
{
    errno = EINVAL; /* "no such flag": the one answer that EAL goes on with */
    return -1;
}

static int large_pages(const struct rte_memseg_list *list, void *arg)
{
    (void)madvise(list->base_va, list->len, MADV_HUGEPAGE); /* a hint */
    return 0;
}

/* ---- BAR 0 ---- */

int rte_pci_map_device(struct rte_pci_device *device)
{
    uint64_t *words = (uint64_t *)(void *)device;

    (void)rte_memseg_list_walk(large_pages, NULL);
    rte_delay_us_callback_register(pass);
    for (unsigned i = 0; i < DEVICE_WORDS; i++) {
        uint64_t number = (words[i] - BUS_ADDRESS) / BUS_STRIDE;
        struct rte_mem_resource *bar = (struct rte_mem_resource *)(void *)&words[i];

        if (number >= plugged_count || words[i] != BUS_ADDRESS + number * BUS_STRIDE)
            continue;
        bar->addr = (void *)(uintptr_t)x82599_bar(plugged[number]->dev);
        bar->len = X82599_BAR_BYTES;
        return 0;
    }
    return -1;
}

void rte_pci_unmap_device(struct rte_pci_device *device)
{
}

/* ---- the directory ---- */

static bool put(const char *folder, const char *name, const char *text)
{
    char path[PATH_BYTES];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    if (f == NULL)
        return false;
    fputs(text, f);
    return fclose(f) == 0;
}

static bool folder_of(unsigned i, char *folder, size_t bytes)
{
    char resource[512], device[16], link[PATH_BYTES];
    uint64_t at = BUS_ADDRESS + i * BUS_STRIDE;
    int used;

    snprintf(folder, bytes, "%s/0000:%02x:00.0", root, i + 1);
    if (mkdir(folder, 0700) != 0)
        return false;
    used = snprintf(resource, sizeof(resource), "0x%016llx 0x%016llx 0x%016llx\n",
                    (unsigned long long)at, (unsigned long long)(at + X82599_BAR_BYTES - 1),
                    0x200ull);
    for (unsigned bar = 1; bar < 6; bar++)
        used += snprintf(resource + used, sizeof(resource) - (size_t)used, "0x0 0x0 0x0\n");
    snprintf(device, sizeof(device), "0x%04x\n", DEVICE_ID);
    snprintf(link, sizeof(link), "%s/driver", folder);
    return put(folder, "vendor", "0x8086\n") && put(folder, "device", device) &&
           put(folder, "subsystem_vendor", "0x8086\n") &&
           put(folder, "subsystem_device", "0x0000\n") &&
           put(folder, "class", "0x020000\n") && put(folder, "resource", resource) &&
           put(folder, "numa_node", "0\n") && symlink("/software/card", link) == 0;
}

bool dpdk_cards_plug(struct native_card *const *cards, unsigned count)
{
    const char *tmp = getenv("TMPDIR");
    char folder[FOLDER_BYTES];

    snprintf(root, sizeof(root), "%s/native-cards-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (count > DPDK_CARDS || mkdtemp(root) == NULL)
        return false;
    for (unsigned i = 0; i < count; i++) {
        struct x82599_config config = native_card_config(cards[i]);

        config.device_id = DEVICE_ID;
        cards[i]->dev = x82599_create(&config);
        if (cards[i]->dev == NULL || !folder_of(i, folder, sizeof(folder)))
            return false;
        plugged[i] = cards[i];
        x82599_look(cards[i]->dev);
    }
    plugged_count = count;
    return setenv("SYSFS_PCI_DEVICES", root, 1) == 0;
}

void dpdk_cards_forget(void)
{
    static const char *const names[] = {"vendor", "device", "subsystem_vendor",
                                        "subsystem_device", "class", "resource", "numa_node",
                                        "driver"};
    char path[PATH_BYTES];

    for (unsigned i = 0; i < plugged_count; i++) {
        for (size_t k = 0; k < RTE_DIM(names); k++) {
            snprintf(path, sizeof(path), "%s/0000:%02x:00.0/%s", root, i + 1, names[k]);
            (void)unlink(path);
        }
        snprintf(path, sizeof(path), "%s/0000:%02x:00.0", root, i + 1);
        (void)rmdir(path);
    }
    (void)rmdir(root);
}
