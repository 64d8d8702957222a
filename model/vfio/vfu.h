/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Server side of the vfio-user protocol (docs/interop/vfio-user.rst of QEMU), as much of it as
 * QEMU's vfio-user-pci asks for: one client, guest memory by shared file descriptors, interrupts
 * by eventfds. Everything in a message is checked against its size.
 */
#ifndef MODEL_VFU_H
#define MODEL_VFU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum vfu_region {
    VFU_BAR0,
    VFU_BAR2 = 2,
    VFU_BAR4 = 4,
    VFU_ROM = 6,
    VFU_CONFIG = 7,
    VFU_REGIONS = 9
};
enum vfu_irq { VFU_INTX, VFU_MSI, VFU_MSIX, VFU_ERR, VFU_REQ, VFU_IRQS };

#define VFU_VECTORS 64u
#define VFU_MAPS 64u
#define VFU_AREAS 4u
#define VFU_BUFFER_BYTES (256u * 1024)
#define VFU_FDS 8u

struct vfu_ops {
    void (*read)(void *ctx, unsigned region, uint64_t offset, void *out, uint32_t bytes);
    void (*write)(void *ctx, unsigned region, uint64_t offset, const void *in, uint32_t bytes);
    void (*reset)(void *ctx);
    void (*irqs_changed)(void *ctx); /* eventfds came or went */
    void (*unmasked)(void *ctx);     /* INTx after an end of interrupt */
};

struct vfu_map {
    uint64_t phys, bytes;
    uint8_t *at;
    bool writable;
};

struct vfu {
    /* set before vfu_listen() */
    const struct vfu_ops *ops;
    void *ctx;
    uint64_t region_bytes[VFU_REGIONS];
    uint32_t irq_count[VFU_IRQS];
    int share_fd;        /* memory of BAR 0 for the guest to map, or -1 */
    unsigned area_count; /* what of it */
    struct {
        uint64_t offset, bytes;
    } area[VFU_AREAS];

    int listen_fd, fd; /* fd: the client, -1: none */
    const char *path;
    int irq_fd[VFU_IRQS][VFU_VECTORS];
    struct vfu_map map[VFU_MAPS];
    unsigned map_count, map_last;
    uint8_t *buffer;
    size_t filled;
    uint64_t messages, reads, posted, irqs, unmapped; /* unmapped: DMA regions without an fd */
};

/* A socket at `path`, which is replaced. False: errno says why. */
bool vfu_listen(struct vfu *vfu, const char *path);
bool vfu_accept(struct vfu *vfu);
/* Handles what has arrived. False: the client is gone, its memory and eventfds forgotten. */
bool vfu_process(struct vfu *vfu);
void vfu_close(struct vfu *vfu);
void *vfu_dma(struct vfu *vfu, uint64_t phys, uint32_t bytes, bool device_writes);
/* False: nobody listens on that vector now. */
bool vfu_signal(struct vfu *vfu, enum vfu_irq index, unsigned vector);

#endif
