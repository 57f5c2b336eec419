// SPDX-License-Identifier: GPL-2.0-only
/* Snappy without frames, as format_description.txt of github.com/google/snappy describes it. */
#include "lz77.h"

/* The length of all, in groups of 7 bits, the lowest first; a set bit 7 says that more follow. */
static bool take_length(struct lz77 *lz, uint64_t *length)
{
	uint32_t group;

	*length = 0;
	for (unsigned int shift = 0; shift < 35; shift += 7) {
		if (!lz77_number(lz, 1, &group))
			return false;
		*length |= (uint64_t)(group & 127) << shift;
		if (!(group & 128))
			return true;
	}
	return false;
}

/* The length less 1 is in the tag, or, from 60 on, in 1 to 4 bytes after it. */
static bool take_literals(struct lz77 *lz, uint32_t tag)
{
	uint32_t length = tag >> 2;

	if (length >= 60 && !lz77_number(lz, length - 59, &length))
		return false;
	return lz77_literals(lz, (size_t)length + 1);
}

/* By its kind, a copy has 1, 2 or 4 bytes of distance. */
static bool take_copy(struct lz77 *lz, uint32_t tag)
{
	uint32_t kind = tag & 3, distance;

	if (!lz77_number(lz, kind == 3 ? 4 : kind, &distance))
		return false;
	if (kind == 1)
		return lz77_copy(lz, (tag >> 5) << 8 | distance, (tag >> 2 & 7) + 4);
	return lz77_copy(lz, distance, (tag >> 2) + 1);
}

bool snappy_unpack(const unsigned char *from, size_t bytes, unsigned char *to, size_t room)
{
	struct lz77 lz = { .from = from, .left = bytes, .to = to, .room = room };
	uint64_t length;
	uint32_t tag;

	if (!take_length(&lz, &length) || length != room)
		return false;
	while (lz77_number(&lz, 1, &tag)) {
		if (!(tag & 3 ? take_copy(&lz, tag) : take_literals(&lz, tag)))
			return false;
	}
	return lz.length == room;
}
