/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vfio-user server of a few cards of one kind: the command line, commands on standard input,
 * and the loop. What the cards are comes from `struct served_ops`. One thread.
 */
#ifndef MODEL_VFIO_SERVER_H
#define MODEL_VFIO_SERVER_H

#include "vfio/card.h"

#include <stddef.h>

struct served_ops {
    const char *usage;
    size_t bytes; /* of a card: a structure whose first member is a struct card */

    /* Opens a card; `text` is what stood behind --card, its own to cut up, and lives as long.
     * False: it has printed why. */
    bool (*open)(struct card *card, char *text);
    void (*close)(struct card *card);
    /* What is due at this time. True: there was something to do. */
    bool (*turn)(struct card *card, uint64_t now_ns);
    /* The most to wait before the next turn; `idle_ns`: since a card had something to do. */
    uint64_t (*wait_ns)(const struct card *card, uint64_t now_ns, uint64_t idle_ns);
    /* A descriptor whose input is the card's, -1: none now; and that it has some. */
    int (*input_fd)(const struct card *card);
    void (*input)(struct card *card);
    /* A line of standard input behind the card's number. False: not understood. */
    bool (*command)(struct card *card, const char *verb, const char *what, const char *number);
    /* One line of JSON. */
    void (*report)(const struct card *card, unsigned number);
};

/* Serves until it is told to stop; the exit status. */
int server_main(const struct served_ops *ops, int argc, char **argv);

/* SOCKET,NAME=VALUE,..: cuts `text` after the socket and calls `option` for each. False: one was
 * not understood, which is printed with `usage`. */
bool server_options(char *text, bool (*option)(void *ctx, const char *name, char *value),
                    void *ctx, const char *usage);
bool server_number(const char *text, uint64_t most, uint64_t *out);
bool server_mac(const char *text, uint8_t mac[6]);

#endif
