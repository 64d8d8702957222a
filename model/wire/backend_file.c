/* SPDX-License-Identifier: BSD-2-Clause */
/* TAP interfaces and pcap files. */
#include "wire/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <rt/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 16384u

/* ---- TAP ---- */

struct tap {
    struct backend b;
    uint8_t frame[FRAME_MAX];
};

static const uint8_t *tap_receive(struct backend *b, uint32_t *bytes)
{
    struct tap *t = (struct tap *)b;
    ssize_t got = read(b->fd, t->frame, sizeof(t->frame));

    RT_ASSERT_LE(0, b->fd);
    if (got <= 0)
        return NULL;
    if (got < BACKEND_FRAME_MIN) {
        memset(t->frame + got, 0, BACKEND_FRAME_MIN - (size_t)got);
        got = BACKEND_FRAME_MIN;
    }
    b->received++;
    *bytes = (uint32_t)got;
    return t->frame;
}

static void tap_transmit(struct backend *b, const uint8_t *frame, uint32_t bytes)
{
    RT_ASSERT_LT(0u, bytes);
    if (write(b->fd, frame, bytes) == (ssize_t)bytes)
        b->sent++;
    else
        b->lost++;
}

static void tap_close(struct backend *b)
{
    close(b->fd);
    free(b);
}

struct backend *backend_tap_open(const char *name)
{
    static const struct backend_ops ops = {tap_receive, tap_transmit, NULL, NULL, NULL,
                                           tap_close};
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    struct tap *t;

    if (strlen(name) >= sizeof(request.ifr_name)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    memcpy(request.ifr_name, name, strlen(name) + 1);
    t = malloc(sizeof(*t));
    if (t == NULL)
        return NULL;
    t->b = (struct backend){.ops = &ops,
                            .fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)};
    if (t->b.fd < 0 || ioctl(t->b.fd, TUNSETIFF, &request) != 0) {
        if (t->b.fd >= 0)
            close(t->b.fd);
        free(t);
        return NULL;
    }
    return &t->b;
}

/* ---- pcap: microseconds, our byte order, Ethernet ---- */

#define PCAP_MAGIC 0xa1b2c3d4u
#define PCAP_ETHERNET 1u

struct pcap_file {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, frame_max, link;
};
_Static_assert(sizeof(struct pcap_file) == 24, "pcap file header");

struct pcap_record {
    uint32_t seconds, microseconds, kept, bytes;
};
_Static_assert(sizeof(struct pcap_record) == 16, "pcap record header");

struct pcap {
    struct backend b;
    FILE *in, *out;
    uint8_t frame[FRAME_MAX];
};

static const uint8_t *pcap_receive(struct backend *b, uint32_t *bytes)
{
    struct pcap *p = (struct pcap *)b;
    struct pcap_record record;

    if (p->in == NULL)
        return NULL;
    if (fread(&record, sizeof(record), 1, p->in) != 1 || record.kept > FRAME_MAX ||
        fread(p->frame, 1, record.kept, p->in) != record.kept) {
        b->always = false; /* the end, or a file that lies */
        return NULL;
    }
    if (record.kept < BACKEND_FRAME_MIN) {
        memset(p->frame + record.kept, 0, BACKEND_FRAME_MIN - record.kept);
        record.kept = BACKEND_FRAME_MIN;
    }
    b->received++;
    *bytes = record.kept;
    return p->frame;
}

static void pcap_transmit(struct backend *b, const uint8_t *frame, uint32_t bytes)
{
    struct pcap *p = (struct pcap *)b;
    struct timespec now;
    struct pcap_record record;

    b->sent++;
    if (p->out == NULL)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    record = (struct pcap_record){(uint32_t)now.tv_sec, (uint32_t)(now.tv_nsec / 1000), bytes,
                                  bytes};
    if (fwrite(&record, sizeof(record), 1, p->out) != 1 ||
        fwrite(frame, 1, bytes, p->out) != bytes)
        b->lost++;
}

static void pcap_flush(struct backend *b)
{
    struct pcap *p = (struct pcap *)b;

    if (p->out != NULL)
        (void)fflush(p->out);
}

static void pcap_close(struct backend *b)
{
    struct pcap *p = (struct pcap *)b;

    if (p->in != NULL)
        (void)fclose(p->in);
    if (p->out != NULL && fclose(p->out) != 0)
        perror("pcap");
    free(p);
}

static bool pcap_files(struct pcap *p, const char *in, const char *out)
{
    struct pcap_file header = {PCAP_MAGIC, 2, 4, 0, 0, 65535, PCAP_ETHERNET};

    if (*in != '\0') {
        p->in = fopen(in, "rbe");
        if (p->in == NULL)
            return false;
        errno = EINVAL;
        if (fread(&header, sizeof(header), 1, p->in) != 1 || header.magic != PCAP_MAGIC ||
            header.link != PCAP_ETHERNET)
            return false;
    }
    if (*out == '\0')
        return true;
    header = (struct pcap_file){PCAP_MAGIC, 2, 4, 0, 0, 65535, PCAP_ETHERNET};
    p->out = fopen(out, "wbe");
    return p->out != NULL && fwrite(&header, sizeof(header), 1, p->out) == 1;
}

struct backend *backend_pcap_open(const char *text)
{
    static const struct backend_ops ops = {pcap_receive, pcap_transmit, pcap_flush, NULL, NULL,
                                           pcap_close};
    const char *comma = strchr(text, ',');
    size_t in_bytes = comma != NULL ? (size_t)(comma - text) : strlen(text);
    struct pcap *p;
    char in[4096];

    if (in_bytes >= sizeof(in)) {
        errno = EINVAL;
        return NULL;
    }
    p = calloc(1, sizeof(*p));
    if (p == NULL)
        return NULL;
    memcpy(in, text, in_bytes);
    in[in_bytes] = '\0';
    p->b = (struct backend){.ops = &ops, .fd = -1};
    if (!pcap_files(p, in, comma != NULL ? comma + 1 : "")) {
        int why = errno;

        pcap_close(&p->b);
        errno = why;
        return NULL;
    }
    p->b.always = p->in != NULL;
    return &p->b;
}
