/* SPDX-License-Identifier: BSD-2-Clause */
/* The application, as the kit runs it. */
#ifndef L2FWD_H
#define L2FWD_H

#include <kit/kit.h>

extern const struct kit_app l2fwd_app;

#endif
