/* SPDX-License-Identifier: GPL-2.0-only */
/* The pages of a kdump-compressed dump. */
#ifndef PTDIFF_KDUMP_PAGES_H
#define PTDIFF_KDUMP_PAGES_H

#include "dump-file.h"

#define MAX_BLOCK 65536
#define CACHED_PAGES 64
/* Bytes of a bitmap that are read at once. */
#define BITMAP_PART 8192

struct kdump_layout {
	uint32_t block_size;
	/* Page frames that each bitmap is of. */
	uint64_t frames;
	/* Offset of both bitmaps, and bytes of them together. */
	uint64_t bitmaps;
	uint64_t bitmap_bytes;
	/* A page of memory that the dump lacks is one of zeroes. */
	bool zero_pages_left_out;
};

struct kdump_pages {
	struct dump_file *file;
	uint32_t block_size;
	struct kdump_layout layout;
	/* Offset of the pages' descriptors. */
	uint64_t descriptors;
	/* Pages of the dump before each part of the second bitmap, and before its end. */
	uint64_t *before_part;
	/* The parts of both bitmaps that were read last. */
	struct bitmap_part {
		uint64_t number;
		unsigned char bytes[BITMAP_PART];
	} parts[2];
	struct cached_page {
		/* Of the page, plus 1; 0: nothing is cached. */
		uint64_t frame;
		unsigned char *bytes;
	} cache[CACHED_PAGES];
	unsigned char *compressed;
};

/* Ends the program with one sentence where the dump lacks its bitmaps. */
void kdump_pages_open(struct kdump_pages *pages, struct dump_file *file, const struct kdump_layout *layout);

/*
 * The bytes of a page until the next call, or NULL where it is no memory or was left out. Ends the
 * program where it is damaged, or compressed in a way that is not read.
 */
const unsigned char *kdump_page(struct kdump_pages *pages, uint64_t frame);

/* The first page from *frame on that is in the dump; false where there is none. */
bool kdump_next_dumped(struct kdump_pages *pages, uint64_t *frame);

#endif
