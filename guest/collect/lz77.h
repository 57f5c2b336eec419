/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages that makedumpfile compressed with LZO or Snappy. Both formats are literals, and copies of
 * what was unpacked before; a dump is not trusted.
 */
#ifndef PTDIFF_LZ77_H
#define PTDIFF_LZ77_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks a page of `room` bytes. False where the bytes are not in the format, or give more or less
 * than that; nothing is ever read or written out of both bounds.
 */
bool lzo_unpack(const unsigned char *from, size_t bytes, unsigned char *to, size_t room);
bool snappy_unpack(const unsigned char *from, size_t bytes, unsigned char *to, size_t room);

/* What is unpacked, and how far. */
struct lz77 {
	const unsigned char *from;
	/* Bytes that are left. */
	size_t left;
	unsigned char *to;
	/* Bytes there, and how many of them are written. */
	size_t room;
	size_t length;
};

/* Each is false, and has done nothing, where it is not possible. */

/* A little-endian number of up to 4 bytes. */
bool lz77_number(struct lz77 *lz, size_t bytes, uint32_t *value);
bool lz77_literals(struct lz77 *lz, size_t count);
/* Copies what begins `distance` bytes before the end; what is copied may be copied again. */
bool lz77_copy(struct lz77 *lz, size_t distance, size_t count);

#endif
