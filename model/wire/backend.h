/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other end of a port's cable. A back end gives frames to the device and takes frames from
 * it; it never blocks in receive(), and waits a bounded time in transmit() when its peer is slow
 * (a wire has no room either, but a test wants no losses that are not the driver's).
 */
#ifndef MODEL_BACKEND_H
#define MODEL_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BACKEND_FRAME_MIN 60u

struct backend;

struct backend_ops {
    /* Next frame of at least BACKEND_FRAME_MIN bytes, valid until the next call; NULL: none. */
    const uint8_t *(*receive)(struct backend *b, uint32_t *bytes);
    void (*transmit)(struct backend *b, const uint8_t *frame, uint32_t bytes);
    void (*flush)(struct backend *b); /* end of a batch of transmit(); NULL: nothing to do */
    void (*readable)(struct backend *b); /* `fd` has something; NULL: receive() reads it */
    void (*report)(const struct backend *b, char *out, size_t bytes); /* JSON members or "" */
    void (*close)(struct backend *b);
};

struct backend {
    const struct backend_ops *ops;
    int fd;         /* to poll for input; -1: none */
    bool always;    /* frames may come without `fd`: ask at every turn */
    uint64_t sent, received, lost; /* to the peer, from the peer, peer had no room */
};

/*
 * Opens what `text` names; NULL with a message in `error`:
 *   sink                nothing comes, everything is counted
 *   gen:BYTES[,FLOWS]   frames to `mac` at memory speed, UDP over IPv4, checked when they return
 *   stream:PATH         UNIX stream socket that waits for a peer; each frame behind its length
 *                       in 32 bits, big endian, as QEMU's -netdev stream
 *   tap:NAME            a TAP interface
 *   pcap:IN[,OUT]       frames of IN once, sent frames into OUT; IN may be empty
 */
struct backend *backend_open(const char *text, const uint8_t mac[6], char *error, size_t bytes);
void backend_close(struct backend *b);

struct backend *backend_gen_open(const char *text, const uint8_t mac[6]);
struct backend *backend_sink_open(void);
struct backend *backend_stream_open(const char *path);
struct backend *backend_tap_open(const char *name);
struct backend *backend_pcap_open(const char *text);

#endif
