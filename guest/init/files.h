/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_FILES_H
#define PTDIFF_FILES_H

/* Mounts proc, sysfs, devtmpfs and debugfs, and asks the kernel to show addresses. */
void files_mount(void);

/* Sends what does not change any more. */
void files_send_static(void);

/* Sends what probes change: the kernel log, the maps, the kernel's dump of its own page tables. */
void files_send_changing(void);

/*
 * Sends the large files of a comma-separated list: last, since in a small guest they take the room
 * of all others.
 */
void files_send_asked(const char *names);

/* Sends the kernel log alone: what is there should the next step kill the kernel. */
void files_send_log(void);

#endif
