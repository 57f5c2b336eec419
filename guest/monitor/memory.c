// SPDX-License-Identifier: GPL-2.0-only
/* The functions that the compiler calls on its own, and wiping. */
#include "monitor.h"

void *memcpy(void *to, const void *from, size_t size)
{
	u8 *target = to;
	const u8 *source = from;

	while (size-- > 0)
		*target++ = *source++;
	return to;
}

void *memset(void *to, int value, size_t size)
{
	u8 *target = to;

	while (size-- > 0)
		*target++ = (u8)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const u8 *left = a, *right = b;

	for (; size > 0; size--, left++, right++) {
		if (*left != *right)
			return *left - *right;
	}
	return 0;
}

/*
 * Zeroes whole granules. Memory that is already zero is not written, so that a RAM file of the host
 * stays sparse.
 */
void wipe(u64 base, u64 size)
{
	for (u64 *word = (u64 *)base; word < (u64 *)(base + size); word += 2) {
		if ((word[0] | word[1]) != 0) {
			word[0] = 0;
			word[1] = 0;
		}
	}
}
