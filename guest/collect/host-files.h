/* SPDX-License-Identifier: GPL-2.0-only */
/* What the live machine's own files say; a dump has none of them. */
#ifndef PTDIFF_HOST_FILES_H
#define PTDIFF_HOST_FILES_H

#include "archive.h"

/*
 * Adds /proc's files and the device tree as members; `areas` in place of /proc/vmallocinfo, where the
 * kernel's own lists could be read.
 */
void add_host_files(struct archive *archive, struct buffer areas);

/* Adds what print_vmallocinfo() printed. */
void add_vmallocinfo(struct archive *archive, struct buffer areas);

/* The state of lockdown in quotation marks, or "null", for JSON. */
const char *lockdown_state(void);

/* Seconds since boot, or "null", for JSON. */
void print_uptime(struct buffer *buffer);

#endif
