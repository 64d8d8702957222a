/* SPDX-License-Identifier: BSD-2-Clause */
/* Text console on a linear framebuffer that firmware left. Core 0 or under the log's lock. */
#ifndef RT_X86_FRAMEBUFFER_H
#define RT_X86_FRAMEBUFFER_H

#include <rt/boot_info.h>

/* Starts the console; ignores framebuffers it cannot draw on (not 16, 24 or 32 bits a pixel,
 * too small, not below `limit_phys`, the end of the present identity map). */
void fb_console_init(const struct boot_framebuffer *fb, uint64_t limit_phys);

bool fb_console_present(void);

/* Draws text; \n starts a line, \r returns to its start, \t goes to the next multiple of 8,
 * anything else not printable shows as a box. Does nothing when there is no console. */
void fb_console_write(const char *text, size_t bytes);

#endif
