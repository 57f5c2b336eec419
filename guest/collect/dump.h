/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory of a kernel that does not run any more. A dump has physical memory; what is at a virtual
 * address is found through the kernel's own tables.
 */
#ifndef PTDIFF_DUMP_H
#define PTDIFF_DUMP_H

#include "board.h"
#include "dump-file.h"

struct dump {
	/* Its address is also that of the dump. */
	struct memory memory;
	struct dump_file *file;
	/* Geometry alone: what read_virtual() needs. */
	struct board geometry;
};

/* Calls a function for each range of physical memory in the dump, until it returns true. */
typedef bool (*range_visitor)(struct dump *dump, uint64_t start, uint64_t end);

/*
 * Makes a dump readable by virtual address: memory.read_physical, file and source are set, vmcoreinfo
 * where the dump has one of its own. Otherwise VMCOREINFO is looked for in memory.
 */
void dump_finish(struct dump *dump, void (*each_range)(struct dump *dump, range_visitor visit));

#endif
