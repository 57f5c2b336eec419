// SPDX-License-Identifier: GPL-2.0-only
#include "crc32.h"

#define POLYNOMIAL UINT32_C(0xedb88320)

static uint32_t table[256];

static void make_table(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t value = i;

		for (int bit = 0; bit < 8; bit++)
			value = value & 1 ? value >> 1 ^ POLYNOMIAL : value >> 1;
		table[i] = value;
	}
}

uint32_t crc32(uint32_t crc, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;

	if (!table[1])
		make_table();
	crc = ~crc;
	while (length--)
		crc = crc >> 8 ^ table[(crc ^ *at++) & 0xff];
	return ~crc;
}
