/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel says of itself in VMCOREINFO, and what follows from it. */
#ifndef PTDIFF_BOARD_H
#define PTDIFF_BOARD_H

#include "memory.h"

struct board {
	struct memory *memory;
	/* log2 of the page size. */
	unsigned int page_shift;
	/* Bits of virtual address that the kernel is built for, and those that it uses. */
	unsigned int va_bits;
	unsigned int input_bits;
	/* TCR_EL1.DS: 52 bits of physical address with pages of 4K and 16K. */
	bool lpa2;
	uint64_t phys_offset;
	/* What to add to a physical address in the kernel's image to get its virtual one. */
	uint64_t kimage_voffset;
	/* First virtual address of the linear map, and the first one after it. */
	uint64_t linear_start;
	uint64_t linear_end;
	uint64_t root;
	size_t root_entries;
	int root_level;
	/* Physical range of the kernel's image; empty where its symbols are not known. */
	uint64_t image_start;
	uint64_t image_end;
	bool has_symbols;
	bool has_types;
};

/*
 * What follows from VMCOREINFO alone. Returns NULL, or the key of what it lacks or of what makes no
 * sense.
 */
const char *board_geometry(struct board *board, struct memory *memory);

/* Ends the program where VMCOREINFO lacks what cannot be done without. */
void board_open(struct board *board, struct memory *memory);

/* log2 of the bytes that an entry of a level translates. */
unsigned int level_shift(const struct board *board, int level);

/* Reads a variable of the kernel; false where it has none, or where its memory was freed. */
bool board_variable(const struct board *board, const char *name, void *to, size_t bytes);

/* Whether a symbol's memory was freed when the kernel was up. */
bool board_is_freed(uint64_t address);

#endif
