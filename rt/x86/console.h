/* SPDX-License-Identifier: BSD-2-Clause */
/* Serial console of the bare machine; hal_console_write/read in <rt/hal.h> go through it. */
#ifndef RT_X86_CONSOLE_H
#define RT_X86_CONSOLE_H

#include <rt/acpi.h>

/* COM1 at 115200 8n1, if a UART answers there. Works before anything else does. */
void console_init(void);
/* Moves to the port that firmware names (SPCR) when that is another one, and says everything
 * again there. Between the page tables, because it may have to map it, and console_buffer(). */
bool console_use_spcr(const struct acpi_spcr *spcr);
/* From here on text waits in memory for hal_console_pump(). */
void console_buffer(void);
/* From here on this core alone sends. Before the others are stopped: the one that sends just
 * now gets the time to finish. For the core that ends the run. */
void console_take(void);
/* Takes the console, sends what waits and ends the buffering; waits, bounded, until the last
 * byte has left. After a core was stopped while it sent, one byte may leave twice. */
void console_flush(void);
/* "com1", "spcr", "none": for the boot log. */
const char *console_name(void);

#endif
