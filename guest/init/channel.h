/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_CHANNEL_H
#define PTDIFF_CHANNEL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

/* Creates the directory; 0 or an errno. */
int channel_open(uint64_t nonce);

/* Appends and commits a record, or counts it as lost; false when lost. */
int channel_send(enum record_type type, const char *name, const void *payload, size_t payload_bytes);

/* Sends a RECORD_PROBLEM and prints it on the console. */
void channel_problem(const char *where, const char *what, int error);

/*
 * Writes the physical addresses of the pages again, in case the kernel has moved any of them, then
 * notifies the harness.
 */
void channel_event(enum event event);

/* Physical address of the directory; 0 without a channel. */
uint64_t channel_directory(void);

#endif
