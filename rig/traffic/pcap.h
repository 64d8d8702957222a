/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files of the classic pcap form (draft-ietf-opsawg-pcap): read whole for replay,
 * written frame by frame. Files come from anywhere: every length is checked before use.
 */
#ifndef RIG_PCAP_H
#define RIG_PCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define PCAP_FRAMES_MAX (1u << 20)

struct pcap_frame {
    uint32_t offset; /* in `data` */
    uint16_t bytes;
};

struct pcap {
    uint8_t *data; /* the whole file */
    size_t bytes;
    uint32_t count;
    uint32_t skipped; /* cut short, longer than we send, or not Ethernet sized */
    struct pcap_frame *frames;
};

/* Finds the frames in a file image; takes `data_owned` (malloc) on every path.
 * NULL on success, else what is wrong. pcap_free afterwards. */
const char *pcap_parse(struct pcap *p, uint8_t *data_owned, size_t bytes);
const char *pcap_load(struct pcap *p, const char *path);
void pcap_free(struct pcap *p);

/* A file with its header written, or NULL. */
FILE *pcap_create(const char *path);
bool pcap_append(FILE *file, uint64_t now_ns, const uint8_t *frame, size_t bytes);

#endif
