/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_PROBES_H
#define PTDIFF_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_MAX_PAGES 64
#define PROBE_MAX_DATA 64

/*
 * The result of a probe. The probe keeps its files and mappings: the tables are captured while they
 * exist.
 */
struct probe_result {
	/* The call that failed, or "ok". */
	const char *call;
	/* Its errno; EFAULT for "touch", when the page could not be reached. */
	int error;
	/* Physical addresses of the pages that were touched. */
	uint64_t pages[PROBE_MAX_PAGES];
	size_t page_count;
	/* The bytes that a device delivered, or the last of them. */
	unsigned char data[PROBE_MAX_DATA];
	size_t data_bytes;
};

/* Runs the probes of a comma-separated list and sends a record for each. */
void probes_run(const char *names);

void probe_send(const char *name, const struct probe_result *result);

/* Sets call, and sets error to errno. */
void probe_failed(struct probe_result *result, const char *call);

/*
 * Writes a byte to each of `count` pages of a mapping and adds them to the result; on a fault sets
 * call "touch".
 */
void probe_touch(struct probe_result *result, volatile unsigned char *first, size_t count);

void probe_modules(struct probe_result *result);
/* Whether one of the modules can be removed. */
bool probe_modules_removable(void);
/* Removes it, and loads it again. */
void probe_modules_again(struct probe_result *result);
/*
 * Maps the pages of a new file of memfd_secret(), untouched; NULL where that failed. The file is to be
 * closed in any case, unless it is -1.
 */
unsigned char *secret_pages(struct probe_result *result, size_t pages, int *file);
void probe_memfd_secret(struct probe_result *result);
/* Gives back what it holds, if anything. */
void probe_memfd_secret_release(struct probe_result *result);
void probe_cpu_online(struct probe_result *result);
void probe_cpu_hotplug(struct probe_result *result);
void probe_virtio_console(struct probe_result *result);
void probe_virtio_blk(struct probe_result *result);
void probe_virtio_rng(struct probe_result *result);
void probe_virtio_net(struct probe_result *result);

#endif
