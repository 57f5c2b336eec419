/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's half of the address space: its tables, as runs of entries. */
#ifndef PTDIFF_TABLES_H
#define PTDIFF_TABLES_H

#include "board.h"
#include "buffer.h"

/* Levels -1 to 3. */
#define LEVELS 5

/*
 * `count` consecutive entries of a level from `va` on; entry i has the value
 * descriptor + i * stride. The stride of a single one is 0.
 */
struct run {
	uint64_t va;
	uint64_t count;
	uint64_t descriptor;
	uint64_t stride;
};

struct runs {
	struct run *at;
	size_t count;
	size_t room;
};

struct walk {
	/* By level + 1; ascending. */
	struct runs levels[LEVELS];
	/* Tables that could not be read, and the address that the first of them translates. */
	uint64_t unreadable;
	uint64_t unreadable_va;
};

/*
 * Reads all tables once, into the room of an earlier walk. Ends the program where the root cannot
 * be read or where there are more runs than a reader accepts.
 */
void walk_tables(const struct board *board, struct walk *walk);

/* Where a kernel address is in physical memory; false where its entry is not valid. */
bool translate(const struct board *board, uint64_t va, uint64_t *pa);

/* Reads through the tables what has no segment of its own, such as parts of vmemmap. */
bool read_translated(const struct board *board, uint64_t va, void *to, size_t bytes);

/* The physical address in the descriptor of a page, a block or a table. */
uint64_t output_address(const struct board *board, uint64_t descriptor);

/* The member `descriptors` of an archive. */
void print_walk(const struct board *board, const struct walk *walk, struct buffer *buffer);

#endif
