/* SPDX-License-Identifier: BSD-2-Clause */
/* From a command line to a trial: lanes, sizes, modes, limits. Pure. */
#ifndef RIG_COMMAND_H
#define RIG_COMMAND_H

#include "json.h"
#include "source.h"
#include "trial.h"

/* "52:54:00:4d:52:00" */
bool command_mac(const char *text, uint8_t mac[6]);

/* Fills lanes and plans ("lanes":"0>1,1>0", "sizes", "flows", "mode"). NULL, or the mistake. */
const char *command_source(const struct json_object *object, const struct link *links,
                           unsigned link_count, uint16_t trial, struct source *source);

/* Rate, frames, window and times. NULL, or the mistake. */
const char *command_config(const struct json_object *object, struct trial_config *config);

#endif
