/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a script against the stack, in virtual time. */
#ifndef TESTS_PACKETDRILL_PLAY_H
#define TESTS_PACKETDRILL_PLAY_H

#include "flow.h"
#include "sockets.h"

/* A call that has not returned yet. */
struct waiting {
    const struct script_event *event; /* NULL: none */
    uint64_t end_us; /* when it should return */
    uint32_t written;
};

struct play {
    const struct script *script;
    FILE *errors;
    struct world world;
    struct sockets sockets;
    struct flows flows;
    struct waiting waiting;
    uint64_t start_us, last_us; /* of the script; of the event before */
    uint64_t due_us; /* of the event that runs */
    uint32_t line; /* ditto */
    bool failed;
};

/* True: all happened as the script says. Else a message FILE:LINE: was written to `errors`. */
bool play_run(const struct script *script, FILE *errors);

/* ---- between play.c and its parts ---- */
/* The first failure is told, with the line of the event. */
void play_fail(struct play *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Makes a call and looks at its result, or lets it wait (play_call.c). */
void play_call(struct play *p, const struct script_event *e, uint64_t end_us);
/* After each turn: has what waited come to an end? */
void play_call_again(void *ctx);
/* A packet comes in; one must leave (play_packet.c). */
void play_packet_in(struct play *p, const struct script_packet *packet);
void play_packet_out(struct play *p, const struct script_packet *expected,
                     const struct packet *got);
/* What is asserted (play_assert.c). */
void play_assert(struct play *p, const struct script_assert *check);

#endif
