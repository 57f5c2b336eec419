// SPDX-License-Identifier: GPL-2.0-only
/* The regions of memory that the kernel found at boot (include/linux/memblock.h). */
#include "facts.h"

#define MAX_REGIONS 65536

struct memblock_region {
	uint64_t base;
	uint64_t size;
	uint32_t flags;
	/* Zero in a kernel without CONFIG_NUMA. */
	uint32_t node;
};

/*
 * The same in all releases, so that a kernel without BTF has it, too: memory at 16, reserved at 56,
 * as in src/linux/memblock.ts.
 */
struct memblock_type {
	uint64_t count;
	uint64_t room;
	uint64_t total_size;
	uint64_t regions;
	uint64_t name;
};

struct memblock {
	uint64_t bottom_up;
	uint64_t current_limit;
	struct memblock_type types[2];
};

static void print_type(const struct board *board, const char *name, const struct memblock_type *type,
		       struct buffer *buffer)
{
	if (type->count > type->room || type->count > MAX_REGIONS) {
		lose("The kernel's memblock.%s makes no sense: it is not in the archive.", name);
		return;
	}
	for (uint64_t i = 0; i < type->count; i++) {
		struct memblock_region region;

		if (!board->memory->read_virtual(board->memory, type->regions + i * sizeof(region), &region,
						 sizeof(region))) {
			lose("The kernel's memblock.%s cannot be read from region %llu on.", name,
			     (unsigned long long)i);
			return;
		}
		buffer_print(buffer, "%s %llx %llx %x %x\n", name, (unsigned long long)region.base,
			     (unsigned long long)region.size, region.flags, region.node);
	}
}

void print_memblock(const struct board *board, struct buffer *buffer)
{
	struct memblock memblock;

	if (!board_variable(board, "memblock", &memblock, sizeof(memblock))) {
		lose("The kernel's variable memblock cannot be read: its symbols lack data (CONFIG_KALLSYMS_ALL), or it was freed.");
		return;
	}
	print_type(board, "memory", &memblock.types[0], buffer);
	print_type(board, "reserved", &memblock.types[1], buffer);
}
