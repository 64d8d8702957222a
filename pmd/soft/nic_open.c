/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of a Linux process by their places: "tap:left", "pipe:0", "stream:/tmp/qemu",
 * "tap:left+loss_ppm=10000". */
#include <pmd/link.h>
#include <pmd/pipe.h>
#include <pmd/stream.h>
#include <pmd/tap.h>
#include <rt/assert.h>
#include <rt/log.h>
#include <string.h>

#define TAP "tap:"
#define PIPE "pipe:"
#define STREAM "stream:"

/* NULL: no port has that place. */
static struct nic *find(const char *place)
{
    for (uint32_t i = 0; i < nic_count(); i++)
        if (strcmp(nic_get(i)->place, place) == 0)
            return nic_get(i);
    return NULL;
}

static void describe(struct nic *nic, const char *kind, const char *name)
{
    const uint8_t *mac = nic->mac;

    rt_snprintf(nic->place, sizeof(nic->place), "%s%s", kind, name);
    rt_log("%s place=%s mac=%02x:%02x:%02x:%02x:%02x:%02x driver=%s", nic->name, nic->place, mac[0],
           mac[1], mac[2], mac[3], mac[4], mac[5], nic->driver_name);
}

static enum rt_status open_tap(const char *name)
{
    struct nic *nic = NULL;
    enum rt_status st = tap_open(name, &nic);

    if (st == RT_OK)
        describe(nic, TAP, name);
    return st;
}

static enum rt_status open_stream(const char *path)
{
    struct nic *nic = NULL;
    enum rt_status st = stream_open(path, &nic);

    if (st == RT_OK)
        describe(nic, STREAM, path);
    return st;
}

/* Both ends: 2n and 2n + 1. */
static enum rt_status open_pipe(const char *name)
{
    struct nic *ends[2];
    uint32_t number = 0;
    enum rt_status st;

    for (const char *at = name; *at != '\0'; at++) {
        if (*at < '0' || *at > '9' || number >= NIC_PORTS_MAX) {
            rt_log("pipe name=\"%.32s\" error=open what=\"not a number below %u\"", name,
                   10u * NIC_PORTS_MAX);
            return RT_INVALID;
        }
        number = number * 10 + (uint32_t)(*at - '0');
    }
    st = pipe_open(ends);
    for (uint32_t i = 0; i < 2 && st == RT_OK; i++) {
        char end[NIC_PLACE_BYTES];

        rt_snprintf(end, sizeof(end), "%u", (number & ~1u) + i);
        describe(ends[i], PIPE, end);
    }
    return st;
}

/* The place without the words of a line; its port is opened first. */
static enum rt_status open_below(const char *place, size_t bytes, struct nic **below)
{
    char name[NIC_PLACE_BYTES];
    enum rt_status st;

    RT_ASSERT_LT(bytes, sizeof(name));
    memcpy(name, place, bytes);
    name[bytes] = '\0';
    st = nic_open(name);
    *below = st == RT_OK ? find(name) : NULL;
    return st == RT_OK && *below == NULL ? RT_NOT_FOUND : st;
}

static enum rt_status open_line(const char *place, const char *words)
{
    struct link_config config;
    struct nic *below, *line;
    enum rt_status st;

    if (strlen(place) >= NIC_PLACE_BYTES || !link_config_parse(words, &config)) {
        rt_log("link place=\"%s\" error=open what=\"at most %u bytes, and behind the port words as"
               " +loss_ppm=10000: see docs/link.md\"", place, NIC_PLACE_BYTES - 1);
        return RT_INVALID;
    }
    st = open_below(place, (size_t)(words - place), &below);
    if (st == RT_OK)
        st = link_over(below, &config, &line);
    if (st == RT_OK)
        describe(line, place, "");
    return st;
}

enum rt_status nic_open(const char *place)
{
    const char *words = strchr(place, LINK_SETTING);

    if (find(place) != NULL)
        return RT_OK;
    if (words != NULL)
        return open_line(place, words);
    if (strncmp(place, TAP, strlen(TAP)) == 0)
        return open_tap(place + strlen(TAP));
    if (strncmp(place, PIPE, strlen(PIPE)) == 0)
        return open_pipe(place + strlen(PIPE));
    if (strncmp(place, STREAM, strlen(STREAM)) == 0)
        return open_stream(place + strlen(STREAM));
    return RT_NOT_FOUND;
}
