/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_FILES_H
#define PTDIFF_FILES_H

/* Mounts proc, sysfs, devtmpfs and debugfs, and asks the kernel to show addresses. */
void files_mount(void);

/* Writes to a file such as those of /proc/sys; one that this kernel lacks is left alone. */
void files_set(const char *path, const char *value);

/* Sends the files that no longer change. */
void files_send_static(void);

/*
 * Sends the files that probes change: the kernel log, the maps, the kernel's dump of its own page
 * tables.
 */
void files_send_changing(void);

/*
 * Sends the large files of a comma-separated list: these come last, since in a small guest they
 * would leave no room for the others.
 */
void files_send_asked(const char *names);

/* Sends the file at `path` under `name`, and in any case its end. */
void files_send_as(const char *name, const char *path);

/* Sends only the kernel log, in case the next step kills the kernel. */
void files_send_log(void);

#endif
