/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the vfio-user server share: messages and their answers. */
#ifndef MODEL_VFIO_VFU_INT_H
#define MODEL_VFIO_VFU_INT_H

#include "vfio/vfu.h"

struct vfu_header {
    uint16_t id, command;
    uint32_t bytes, flags, error;
};
_Static_assert(sizeof(struct vfu_header) == 16, "vfio-user: message header");
#define VFU_FLAG_REPLY 1u
#define VFU_FLAG_NO_REPLY 0x10u
#define VFU_FLAG_ERROR 0x20u

/* A message, and the descriptors that came with it: what stays in `fd` is closed afterwards. */
struct vfu_message {
    struct vfu_header header;
    const uint8_t *body;
    uint32_t bytes; /* of the body */
    int fd[VFU_FDS];
    unsigned fd_count;
};

/* vfu.c; `fd` goes with the answer, -1: none */
void vfu_reply(struct vfu *vfu, const struct vfu_message *m, const void *body, uint32_t bytes,
               int fd);
void vfu_refuse(struct vfu *vfu, const struct vfu_message *m, int error);

/* vfu_memory.c: the guest's memory */
void vfu_do_map(struct vfu *vfu, struct vfu_message *m);
void vfu_do_unmap(struct vfu *vfu, const struct vfu_message *m);
void vfu_unmap_all(struct vfu *vfu);

/* vfu_device.c: what the device is, and its interrupts */
void vfu_do_version(struct vfu *vfu, const struct vfu_message *m);
void vfu_do_device_info(struct vfu *vfu, const struct vfu_message *m);
void vfu_do_region_info(struct vfu *vfu, const struct vfu_message *m);
void vfu_do_irq_info(struct vfu *vfu, const struct vfu_message *m);
void vfu_do_set_irqs(struct vfu *vfu, struct vfu_message *m);
void vfu_forget_irqs(struct vfu *vfu);

#endif
