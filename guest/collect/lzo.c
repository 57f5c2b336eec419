// SPDX-License-Identifier: GPL-2.0-only
/*
 * LZO1X, as Documentation/staging/lzo.rst of Linux describes it: version 0, which makedumpfile's
 * liblzo2 writes.
 */
#include "lz77.h"

/* After a long string of literals, however many they were. */
#define MANY 4
#define END_DISTANCE 16384

struct copy {
	size_t distance;
	size_t length;
	/* 0 to 3 literals that follow it. */
	size_t literals;
};

/* A length in some bits of an instruction; 0 says that more bytes have it. */
static bool take_length(struct lz77 *lz, uint32_t instruction, uint32_t mask, size_t *length)
{
	uint32_t more;

	*length = instruction & mask;
	if (*length)
		return true;
	*length = mask;
	do {
		if (!lz77_number(lz, 1, &more))
			return false;
		*length += more ? more : 255;
	} while (!more);
	return true;
}

/* 16 to 63: the distance is in two bytes, with the number of literals. */
static bool take_far_copy(struct lz77 *lz, uint32_t instruction, struct copy *copy)
{
	bool is_far = instruction < 32;
	uint32_t word;

	if (!take_length(lz, instruction, is_far ? 7 : 31, &copy->length) || !lz77_number(lz, 2, &word))
		return false;
	copy->length += 2;
	copy->distance = (word >> 2) + (is_far ? END_DISTANCE + ((instruction & 8) << 11) : 1);
	copy->literals = word & 3;
	return true;
}

/* Others: a byte has most of the distance. Those below 16 depend on how many literals came before. */
static bool take_near_copy(struct lz77 *lz, uint32_t instruction, size_t before, struct copy *copy)
{
	uint32_t high;

	if (!lz77_number(lz, 1, &high))
		return false;
	copy->literals = instruction & 3;
	if (instruction >= 64) {
		copy->length = (instruction >> 5) + 1;
		copy->distance = (high << 3) + (instruction >> 2 & 7) + 1;
	} else {
		copy->length = before == MANY ? 3 : 2;
		copy->distance = (high << 2) + (instruction >> 2) + (before == MANY ? 2049 : 1);
	}
	return true;
}

/* The first byte may stand for literals alone. */
static bool take_first_literals(struct lz77 *lz, size_t *before)
{
	uint32_t first;

	if (!lz->left || *lz->from <= 17)
		return true;
	lz77_number(lz, 1, &first);
	*before = first - 17 < MANY ? first - 17 : MANY;
	return lz77_literals(lz, first - 17);
}

bool lzo_unpack(const unsigned char *from, size_t bytes, unsigned char *to, size_t room)
{
	struct lz77 lz = { .from = from, .left = bytes, .to = to, .room = room };
	size_t before = 0;
	uint32_t instruction;

	if (!take_first_literals(&lz, &before))
		return false;
	while (lz77_number(&lz, 1, &instruction)) {
		struct copy copy;

		if (instruction < 16 && before == 0) {
			size_t length;

			if (!take_length(&lz, instruction, 15, &length) || !lz77_literals(&lz, length + 3))
				return false;
			before = MANY;
			continue;
		}
		if (!(instruction >= 16 && instruction < 64 ? take_far_copy(&lz, instruction, &copy) :
							      take_near_copy(&lz, instruction, before, &copy)))
			return false;
		if (instruction >= 16 && instruction < 32 && copy.distance == END_DISTANCE)
			return lz.left == 0 && lz.length == room;
		if (!lz77_copy(&lz, copy.distance, copy.length) || !lz77_literals(&lz, copy.literals))
			return false;
		before = copy.literals;
	}
	return false;
}
