/* SPDX-License-Identifier: BSD-2-Clause */
/* What the device is, and its interrupts. */
#include "vfio/vfu_int.h"

#include <errno.h>
#include <linux/vfio.h>
#include <rt/assert.h>
#include <string.h>
#include <unistd.h>

/* vfio_region_info with its sparse mmap capability */
struct region_reply {
    struct vfio_region_info info;
    struct vfio_info_cap_header header;
    uint32_t area_count, reserved;
    struct vfio_region_sparse_mmap_area area[VFU_AREAS];
};
_Static_assert(offsetof(struct region_reply, area) ==
                   sizeof(struct vfio_region_info) +
                       offsetof(struct vfio_region_info_cap_sparse_mmap, areas),
               "vfio: areas follow the capability");

/* ---- what the device is ---- */

void vfu_do_version(struct vfu *vfu, const struct vfu_message *m)
{
    /* major 0, minor 0, then JSON with its NUL */
    static const char body[] = "\0\0\0\0{\"capabilities\":{\"max_msg_fds\":8,"
                               "\"max_data_xfer_size\":65536,\"write_multiple\":true}}";

    vfu_reply(vfu, m, body, sizeof(body), -1);
}

void vfu_do_device_info(struct vfu *vfu, const struct vfu_message *m)
{
    uint32_t info[4] = {sizeof(info), VFIO_DEVICE_FLAGS_RESET | VFIO_DEVICE_FLAGS_PCI,
                        VFU_REGIONS, VFU_IRQS};

    vfu_reply(vfu, m, info, sizeof(info), -1);
}

void vfu_do_region_info(struct vfu *vfu, const struct vfu_message *m)
{
    struct region_reply r = {0};
    struct vfio_region_info ask;
    uint32_t need = sizeof(r.info);
    int fd = -1;

    if (m->bytes < sizeof(ask)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&ask, m->body, sizeof(ask));
    if (ask.index >= VFU_REGIONS) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    r.info.index = ask.index;
    r.info.size = vfu->region_bytes[ask.index];
    r.info.offset = (uint64_t)ask.index << 40;
    if (r.info.size > 0)
        r.info.flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    if (ask.index == VFU_BAR0 && vfu->share_fd >= 0) {
        r.info.flags |= VFIO_REGION_INFO_FLAG_MMAP | VFIO_REGION_INFO_FLAG_CAPS;
        r.info.cap_offset = sizeof(r.info);
        r.info.offset = 0; /* the mapping is at the BAR's offsets in the descriptor */
        r.header.id = VFIO_REGION_INFO_CAP_SPARSE_MMAP;
        r.header.version = 1;
        r.area_count = vfu->area_count;
        for (unsigned i = 0; i < vfu->area_count; i++) {
            r.area[i].offset = vfu->area[i].offset;
            r.area[i].size = vfu->area[i].bytes;
        }
        need = (uint32_t)(offsetof(struct region_reply, area) +
                          vfu->area_count * sizeof(r.area[0]));
        fd = vfu->share_fd;
    }
    r.info.argsz = need;
    vfu_reply(vfu, m, &r, ask.argsz < need && ask.argsz >= sizeof(r.info) ? ask.argsz : need, fd);
}

/* ---- interrupts ---- */

void vfu_do_irq_info(struct vfu *vfu, const struct vfu_message *m)
{
    struct vfio_irq_info ask;

    if (m->bytes < sizeof(ask)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&ask, m->body, sizeof(ask));
    ask.argsz = sizeof(ask);
    ask.flags = VFIO_IRQ_INFO_EVENTFD;
    if (ask.index == VFU_INTX)
        ask.flags |= VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED;
    ask.count = ask.index < VFU_IRQS ? vfu->irq_count[ask.index] : 0;
    vfu_reply(vfu, m, &ask, sizeof(ask), -1);
}

static void forget_irq(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void set_triggers(struct vfu *vfu, const struct vfio_irq_set *set, struct vfu_message *m)
{
    int *fds = vfu->irq_fd[set->index];

    RT_ASSERT_LE(set->start + set->count, VFU_VECTORS);
    if ((set->flags & VFIO_IRQ_SET_DATA_NONE) != 0 && set->count == 0) {
        for (unsigned i = 0; i < VFU_VECTORS; i++)
            forget_irq(&fds[i]);
        return;
    }
    if ((set->flags & VFIO_IRQ_SET_DATA_EVENTFD) == 0)
        return;
    for (unsigned i = 0; i < set->count; i++) { /* count is checked: at most VFU_VECTORS */
        forget_irq(&fds[set->start + i]);
        if (i >= m->fd_count)
            continue; /* without a descriptor: off */
        fds[set->start + i] = m->fd[i];
        m->fd[i] = -1;
    }
}

void vfu_do_set_irqs(struct vfu *vfu, struct vfu_message *m)
{
    struct vfio_irq_set set;

    if (m->bytes < sizeof(set)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&set, m->body, sizeof(set));
    if (set.index >= VFU_IRQS || set.count > VFU_VECTORS || set.start > VFU_VECTORS - set.count) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    if ((set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        set_triggers(vfu, &set, m);
    vfu_reply(vfu, m, NULL, 0, -1);
    if ((set.flags & VFIO_IRQ_SET_ACTION_TRIGGER) != 0)
        vfu->ops->irqs_changed(vfu->ctx);
    else if ((set.flags & VFIO_IRQ_SET_ACTION_UNMASK) != 0)
        vfu->ops->unmasked(vfu->ctx);
}

void vfu_forget_irqs(struct vfu *vfu)
{
    for (unsigned index = 0; index < VFU_IRQS; index++)
        for (unsigned i = 0; i < VFU_VECTORS; i++)
            forget_irq(&vfu->irq_fd[index][i]);
}

bool vfu_signal(struct vfu *vfu, enum vfu_irq index, unsigned vector)
{
    uint64_t one = 1;

    RT_ASSERT_LT((unsigned)index, (unsigned)VFU_IRQS);
    if (vector >= VFU_VECTORS || vfu->irq_fd[index][vector] < 0)
        return false;
    if (write(vfu->irq_fd[index][vector], &one, sizeof(one)) != sizeof(one))
        return false;
    vfu->irqs++;
    return true;
}
