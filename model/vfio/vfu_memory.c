/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's memory: shared file descriptors, mapped here. */
#include "vfio/vfu_int.h"

#include <errno.h>
#include <rt/assert.h>
#include <string.h>
#include <sys/mman.h>

struct dma_map {
    uint32_t argsz, flags;
    uint64_t offset, phys, bytes;
};
_Static_assert(sizeof(struct dma_map) == 32, "vfio-user: DMA_MAP");
#define MAP_WRITEABLE 2u

struct dma_unmap {
    uint32_t argsz, flags;
    uint64_t phys, bytes;
};
_Static_assert(sizeof(struct dma_unmap) == 24, "vfio-user: DMA_UNMAP");
#define UNMAP_ALL 2u

static bool covers(const struct vfu_map *map, uint64_t phys, uint32_t bytes)
{
    return phys >= map->phys && bytes <= map->bytes && phys - map->phys <= map->bytes - bytes;
}

void *vfu_dma(struct vfu *vfu, uint64_t phys, uint32_t bytes, bool device_writes)
{
    unsigned i = vfu->map_last;

    RT_ASSERT_LE(vfu->map_count, VFU_MAPS);
    if (i >= vfu->map_count || !covers(&vfu->map[i], phys, bytes))
        for (i = 0; i < vfu->map_count; i++)
            if (covers(&vfu->map[i], phys, bytes))
                break;
    if (i == vfu->map_count || (device_writes && !vfu->map[i].writable))
        return NULL;
    vfu->map_last = i;
    return vfu->map[i].at + (phys - vfu->map[i].phys);
}

void vfu_do_map(struct vfu *vfu, struct vfu_message *m)
{
    struct vfu_map *map = &vfu->map[vfu->map_count];
    struct dma_map r;
    void *at;

    if (m->bytes < sizeof(r)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r, m->body, sizeof(r));
    if (m->fd_count == 0) { /* memory that is not shared: the device cannot reach it */
        vfu->unmapped++;
        vfu_reply(vfu, m, NULL, 0, -1);
        return;
    }
    if (vfu->map_count == VFU_MAPS || r.bytes == 0 || r.phys > UINT64_MAX - r.bytes) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    at = mmap(NULL, r.bytes, PROT_READ | ((r.flags & MAP_WRITEABLE) != 0 ? PROT_WRITE : 0),
              MAP_SHARED, m->fd[0], (off_t)r.offset);
    if (at == MAP_FAILED) {
        vfu_refuse(vfu, m, errno);
        return;
    }
    *map = (struct vfu_map){r.phys, r.bytes, at, (r.flags & MAP_WRITEABLE) != 0};
    vfu->map_count++;
    vfu_reply(vfu, m, NULL, 0, -1);
}

static void unmap_range(struct vfu *vfu, uint64_t phys, uint64_t bytes, bool all)
{
    unsigned kept = 0;

    RT_ASSERT_LE(vfu->map_count, VFU_MAPS);
    for (unsigned i = 0; i < vfu->map_count; i++) {
        const struct vfu_map *map = &vfu->map[i];

        if (all || (map->phys >= phys && map->phys - phys < bytes))
            munmap(map->at, map->bytes);
        else
            vfu->map[kept++] = *map;
    }
    vfu->map_count = kept;
    vfu->map_last = 0;
}

void vfu_do_unmap(struct vfu *vfu, const struct vfu_message *m)
{
    struct dma_unmap r;

    if (m->bytes < sizeof(r)) {
        vfu_refuse(vfu, m, EINVAL);
        return;
    }
    memcpy(&r, m->body, sizeof(r));
    unmap_range(vfu, r.phys, r.bytes, (r.flags & UNMAP_ALL) != 0);
    vfu_reply(vfu, m, &r, sizeof(r), -1);
}

void vfu_unmap_all(struct vfu *vfu)
{
    unmap_range(vfu, 0, 0, true);
}
