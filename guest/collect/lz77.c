// SPDX-License-Identifier: GPL-2.0-only
#include "lz77.h"

#include <string.h>

bool lz77_number(struct lz77 *lz, size_t bytes, uint32_t *value)
{
	if (bytes > lz->left)
		return false;
	*value = 0;
	for (size_t i = 0; i < bytes; i++)
		*value |= (uint32_t)lz->from[i] << 8 * i;
	lz->from += bytes;
	lz->left -= bytes;
	return true;
}

bool lz77_literals(struct lz77 *lz, size_t count)
{
	if (count > lz->left || count > lz->room - lz->length)
		return false;
	memcpy(lz->to + lz->length, lz->from, count);
	lz->from += count;
	lz->left -= count;
	lz->length += count;
	return true;
}

bool lz77_copy(struct lz77 *lz, size_t distance, size_t count)
{
	if (!distance || distance > lz->length || count > lz->room - lz->length)
		return false;
	for (size_t i = 0; i < count; i++, lz->length++)
		lz->to[lz->length] = lz->to[lz->length - distance];
	return true;
}
