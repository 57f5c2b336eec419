/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_COLLECT_GUEST_H
#define PTDIFF_COLLECT_GUEST_H

#include <stddef.h>
#include <stdint.h>

/* [start, end) of physical memory. */
struct range {
	uint64_t start;
	uint64_t end;
};

struct bytes {
	unsigned char *at;
	size_t length;
};

/* Ends the guest with one line on its console. */
_Noreturn void give_up(const char *what);

/* A whole file; gives up where it cannot be read. */
struct bytes read_whole(const char *path);

/*
 * The ranges of /proc/iomem with a name, ascending; at most `room` of them. Returns how many.
 */
size_t iomem_ranges(const char *name, struct range *ranges, size_t room);

/* ELF headers of what /proc/vmcore of the crash kernel shows: all memory but that kernel's own. */
struct bytes core_headers(struct range crash);

/* The running kernel's device tree, with what the crash kernel finds in /chosen. */
struct chosen {
	const char *command_line;
	struct range initrd;
	struct range core_headers;
	struct range usable;
};
struct bytes crash_tree(const struct chosen *chosen);

/* Loads an Image and an initramfs as the crash kernel. */
void load_crash_kernel(struct bytes image, struct bytes initrd, const char *command_line);

#endif
