/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU plug-in that counts guest instructions, exactly and without stopping the guest.
 *
 *     -plugin insn1.so,counts=COUNTS
 *
 * Every translation block adds its instructions to its vCPU's total, and one to its own count of
 * executions. The instructions between two visits of the address `head` (an entry of the
 * polling loop) go into a histogram; with `visits_each` = 2, those between one visit and the
 * one after the next: a whole turn of a loop that polls two ports. One turn of nothing, of one
 * packet and of a full burst are three peaks of it. Counters live in a mapped file:
 * rig/measure/count.py reads them, and sets `head`, while the guest runs.
 *
 * Debian ships no qemu-plugin.h: what is used of it is declared here. Version 1 is what QEMU
 * 6.0 to 8.x load, version 2 what 9.x and 10.x load; version 7 (QEMU 11) has other types for
 * the translation callback. meson.build makes one module of each.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef INSN_API_VERSION
#define INSN_API_VERSION 1
#endif

/* ---- the part of QEMU's plug-in interface that is used ---- */

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
typedef void exec_fn(unsigned vcpu, void *userdata);

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_fn *fn,
                                          enum qemu_plugin_cb_flags flags, void *userdata);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_fn *fn,
                                            enum qemu_plugin_cb_flags flags, void *userdata);

#if INSN_API_VERSION < 7
typedef void translated_fn(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn *fn);
#define TRANSLATED_PARAMS qemu_plugin_id_t id, struct qemu_plugin_tb *tb
#define REGISTER_TRANSLATED(id, fn) qemu_plugin_register_vcpu_tb_trans_cb(id, fn)
#else
typedef void translated_fn(struct qemu_plugin_tb *tb, void *userdata);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated_fn *fn,
                                           void *userdata);
#define TRANSLATED_PARAMS struct qemu_plugin_tb *tb, void *userdata
#define REGISTER_TRANSLATED(id, fn) qemu_plugin_register_vcpu_tb_trans_cb(id, fn, NULL)
#endif

#define EXPORT __attribute__((visibility("default")))
extern int qemu_plugin_version;
EXPORT int qemu_plugin_version = INSN_API_VERSION;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
                        char **argv);

/* ---- the mapped file; rig/measure/count.py has the same layout ---- */

#define COUNTS_MAGIC UINT32_C(0x4e534e49) /* "INSN" */
#define COUNTS_VERSION 2
#define VCPUS_MAX 8
#define ITERATIONS_MAX 16384 /* instructions of an iteration; longer ones share the last */
#define PAGE_BYTES 4096
#define INSN_BYTES_MAX 15 /* Intel SDM 2.3.11 */
#define BLOCKS_MAX 524288 /* Linux with DPDK has more than 65536 when it forwards */

struct counts_vcpu {
    uint64_t total;      /* instructions */
    uint64_t visits;     /* of head */
    uint64_t last_total; /* total when this iteration began */
    uint64_t head_seen;  /* head of the last visit: a change starts anew */
    uint64_t visits_left; /* until this iteration ends */
    uint64_t iterations[ITERATIONS_MAX];
};

struct counts_block {
    uint64_t vaddr;
    uint32_t bytes;
    uint32_t insns;
    uint64_t executions;
};

struct counts {
    uint32_t magic, version;
    uint32_t vcpus, iterations, blocks_max;
    volatile uint32_t block_count; /* entries below it are complete */
    volatile uint64_t head;        /* set from outside; 0: none */
    volatile uint64_t visits_each; /* of an iteration; set before head; 0 is 1 */
    uint64_t reserved[3];
    struct counts_vcpu vcpu[VCPUS_MAX];
    struct counts_block block[BLOCKS_MAX];
};
_Static_assert(sizeof(struct counts_block) == 24, "rig/measure/count.py unpacks this");
_Static_assert(offsetof(struct counts, vcpu) == 64, "rig/measure/count.py unpacks this");

static struct counts *counts;
static uint32_t block_of_hash[BLOCKS_MAX * 2]; /* index + 1 */
static pthread_mutex_t translating = PTHREAD_MUTEX_INITIALIZER;

static void visit_head(struct counts_vcpu *vcpu, uint64_t head)
{
    uint64_t insns = vcpu->total - vcpu->last_total;
    bool again = vcpu->head_seen == head;

    vcpu->visits += again;
    if (again && vcpu->visits_left > 1) {
        vcpu->visits_left--;
        return;
    }
    if (again)
        vcpu->iterations[insns < ITERATIONS_MAX ? insns : ITERATIONS_MAX - 1]++;
    vcpu->head_seen = head;
    vcpu->visits_left = counts->visits_each;
    vcpu->last_total = vcpu->total;
}

static void executed(unsigned index, void *userdata)
{
    struct counts_block *block = userdata;
    struct counts_vcpu *vcpu = &counts->vcpu[index % VCPUS_MAX];
    if (block->vaddr == counts->head)
        visit_head(vcpu, block->vaddr);
    vcpu->total += block->insns;
    __atomic_fetch_add(&block->executions, 1, __ATOMIC_RELAXED);
}

/* The entry of a block; a block that is translated again keeps its entry. NULL: full. */
static struct counts_block *find_block(uint64_t vaddr, uint32_t bytes, uint32_t insns)
{
    const uint32_t slots = BLOCKS_MAX * 2;
    uint64_t hash = (vaddr ^ (uint64_t)bytes << 32) * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t slot = (uint32_t)(hash >> 40) % slots;
    for (uint32_t tries = 0; tries < slots && block_of_hash[slot]; tries++) {
        struct counts_block *known = &counts->block[block_of_hash[slot] - 1];
        if (known->vaddr == vaddr && known->bytes == bytes && known->insns == insns)
            return known;
        slot = (slot + 1) % slots;
    }
    if (counts->block_count == BLOCKS_MAX)
        return NULL;
    struct counts_block *block = &counts->block[counts->block_count];
    *block = (struct counts_block){.vaddr = vaddr, .bytes = bytes, .insns = insns};
    counts->block_count++;
    block_of_hash[slot] = counts->block_count;
    return block;
}

/* An instruction at this address may end in the next page. Behind others, QEMU 7.2 leaves such a
 * one to a block of its own, though it shows it as the last of this block, too: it is counted
 * apart, when it is executed. */
static bool may_cross(uint64_t vaddr)
{
    return PAGE_BYTES - vaddr % PAGE_BYTES < INSN_BYTES_MAX;
}

static void translated(TRANSLATED_PARAMS)
{
    size_t insns = qemu_plugin_tb_n_insns(tb);
    uint64_t vaddr = qemu_plugin_tb_vaddr(tb);
    struct qemu_plugin_insn *last = qemu_plugin_tb_get_insn(tb, insns - 1);
    uint64_t last_vaddr = qemu_plugin_insn_vaddr(last);
    uint32_t last_bytes = (uint32_t)qemu_plugin_insn_size(last);
    uint32_t bytes = (uint32_t)(last_vaddr - vaddr);
    bool apart = insns > 1 && may_cross(last_vaddr);
    struct counts_block *rest = NULL;
    (void)pthread_mutex_lock(&translating);
    struct counts_block *block = apart ? find_block(vaddr, bytes, (uint32_t)insns - 1)
                                       : find_block(vaddr, bytes + last_bytes, (uint32_t)insns);
    if (apart)
        rest = find_block(last_vaddr, last_bytes, 1);
    (void)pthread_mutex_unlock(&translating);
    if (block) /* else the table is full (block_count says so): not counted */
        qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, QEMU_PLUGIN_CB_NO_REGS, block);
    if (rest)
        qemu_plugin_register_vcpu_insn_exec_cb(last, executed, QEMU_PLUGIN_CB_NO_REGS, rest);
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int argc,
                               char **argv)
{
    const char *path = NULL;
    for (int i = 0; i < argc; i++)
        if (strncmp(argv[i], "counts=", 7) == 0)
            path = argv[i] + 7;
    if (!path) {
        (void)fprintf(stderr, "insn: counts=PATH is wanted\n");
        return -1;
    }
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || ftruncate(fd, sizeof(struct counts)) != 0) {
        (void)fprintf(stderr, "insn: cannot make %s\n", path);
        return -1;
    }
    void *map = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    if (map == MAP_FAILED)
        return -1;
    counts = map;
    counts->version = COUNTS_VERSION;
    counts->vcpus = VCPUS_MAX;
    counts->iterations = ITERATIONS_MAX;
    counts->blocks_max = BLOCKS_MAX;
    counts->magic = COUNTS_MAGIC;
    REGISTER_TRANSLATED(id, translated);
    return 0;
}
