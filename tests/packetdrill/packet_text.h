/* SPDX-License-Identifier: BSD-2-Clause */
/* A packet as scripts write it: flags first:end(bytes) ack N win N urg N <options>. */
#ifndef TESTS_PACKETDRILL_PACKET_TEXT_H
#define TESTS_PACKETDRILL_PACKET_TEXT_H

#include "cursor.h"

/* Reads one, behind < or >. */
void packet_text_read(struct cursor *c, struct script_packet *p);
/* Writes one for a message; returns `text`. */
const char *packet_text_write(const struct script_packet *p, char *text, size_t bytes);

#endif
