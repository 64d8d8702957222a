/* SPDX-License-Identifier: BSD-2-Clause */
#include "pcap.h"

#include "frame.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC_US UINT32_C(0xa1b2c3d4)
#define MAGIC_NS UINT32_C(0xa1b23c4d)
#define LINKTYPE_ETHERNET 1
#define ETH_HEADER_BYTES 14
#define FILE_BYTES_MAX (UINT32_C(1) << 30)

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t reserved1, reserved2;
    uint32_t snap_bytes;
    uint32_t link_type;
};
_Static_assert(sizeof(struct file_header) == 24, "section 4");

struct record_header {
    uint32_t seconds;
    uint32_t fraction;
    uint32_t captured_bytes;
    uint32_t original_bytes;
};
_Static_assert(sizeof(struct record_header) == 16, "section 5");

static uint32_t order(uint32_t v, bool swapped)
{
    return swapped ? __builtin_bswap32(v) : v;
}

static const char *find_frames(struct pcap *p, bool swapped)
{
    size_t at = sizeof(struct file_header);
    while (p->bytes - at >= sizeof(struct record_header) && p->count < PCAP_FRAMES_MAX) {
        struct record_header record;
        memcpy(&record, p->data + at, sizeof(record));
        at += sizeof(record);
        uint32_t bytes = order(record.captured_bytes, swapped);
        if (bytes > p->bytes - at)
            return "ends inside a frame";
        if (bytes >= ETH_HEADER_BYTES && bytes <= FRAME_MAX_BYTES &&
            bytes == order(record.original_bytes, swapped))
            p->frames[p->count++] = (struct pcap_frame){(uint32_t)at, (uint16_t)bytes};
        else
            p->skipped++;
        at += bytes;
    }
    return p->count ? NULL : "no frame that can be sent";
}

const char *pcap_parse(struct pcap *p, uint8_t *data_owned, size_t bytes)
{
    struct file_header header;
    *p = (struct pcap){.data = data_owned, .bytes = bytes};
    if (bytes < sizeof(header) || bytes > FILE_BYTES_MAX)
        return "not a pcap file";
    memcpy(&header, data_owned, sizeof(header));
    bool swapped = header.magic == __builtin_bswap32(MAGIC_US) ||
                   header.magic == __builtin_bswap32(MAGIC_NS);
    if (!swapped && header.magic != MAGIC_US && header.magic != MAGIC_NS)
        return "not a pcap file";
    if ((order(header.link_type, swapped) & 0xffff) != LINKTYPE_ETHERNET)
        return "not captured on Ethernet";
    size_t most = bytes / sizeof(struct record_header) + 1;
    p->frames = calloc(most < PCAP_FRAMES_MAX ? most : PCAP_FRAMES_MAX, sizeof(p->frames[0]));
    return p->frames ? find_frames(p, swapped) : "no memory";
}

const char *pcap_load(struct pcap *p, const char *path)
{
    *p = (struct pcap){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return "cannot open";
    uint8_t *data = NULL;
    long bytes = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (bytes > 0 && (size_t)bytes <= FILE_BYTES_MAX)
        data = malloc((size_t)bytes);
    rewind(file);
    if (data && fread(data, 1, (size_t)bytes, file) != (size_t)bytes) {
        free(data);
        data = NULL;
    }
    (void)fclose(file);
    return data ? pcap_parse(p, data, (size_t)bytes) : "cannot read";
}

void pcap_free(struct pcap *p)
{
    free(p->data);
    free(p->frames);
    *p = (struct pcap){0};
}

FILE *pcap_create(const char *path)
{
    const struct file_header header = {MAGIC_NS, 2, 4, 0, 0, FRAME_MAX_BYTES, LINKTYPE_ETHERNET};
    FILE *file = fopen(path, "wb");
    if (file && fwrite(&header, sizeof(header), 1, file) != 1) {
        (void)fclose(file);
        return NULL;
    }
    return file;
}

bool pcap_append(FILE *file, uint64_t now_ns, const uint8_t *frame, size_t bytes)
{
    const struct record_header record = {(uint32_t)(now_ns / 1000000000),
                                         (uint32_t)(now_ns % 1000000000), (uint32_t)bytes,
                                         (uint32_t)bytes};
    return fwrite(&record, sizeof(record), 1, file) == 1 &&
           fwrite(frame, 1, bytes, file) == bytes;
}
