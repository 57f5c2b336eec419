// SPDX-License-Identifier: GPL-2.0-only
/*
 * Holds guest/collect's decoders to the libraries that makedumpfile compresses with, liblzo2 and
 * Google's libsnappy, over pages that these have compressed, and over what is no page any more. All
 * that a decoder is given ends, or begins, at memory that nobody may touch.
 */
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lz77.h"

#define MAX_PAGE 65536
#define MAX_PACKED (2 * MAX_PAGE)
#define GUARD 65536
#define DAMAGES 24

static uint64_t state;

static uint32_t below(uint32_t limit)
{
	state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t word = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)((word ^ word >> 31) >> 32) % limit;
}

static _Noreturn void die(const char *what)
{
	printf("failed: %s\n", what);
	exit(1);
}

/* What makedumpfile calls; and what uses every instruction of the format. */
static size_t pack_lzo(const unsigned char *page, size_t bytes, unsigned char *to)
{
	static lzo_align_t work[LZO1X_999_MEM_COMPRESS / sizeof(lzo_align_t) + 1];
	lzo_uint length = MAX_PACKED;

	if ((below(2) ? lzo1x_1_compress : lzo1x_999_compress)(page, bytes, to, &length, work) != LZO_E_OK)
		die("liblzo2 does not compress");
	return length;
}

static bool unpack_lzo(const unsigned char *from, size_t bytes, unsigned char *to, size_t room)
{
	lzo_uint length = room;

	return lzo1x_decompress_safe(from, bytes, to, &length, NULL) == LZO_E_OK && length == room;
}

static size_t pack_snappy(const unsigned char *page, size_t bytes, unsigned char *to)
{
	size_t length = MAX_PACKED;

	if (snappy_compress((const char *)page, bytes, (char *)to, &length) != SNAPPY_OK)
		die("libsnappy does not compress");
	return length;
}

static bool unpack_snappy(const unsigned char *from, size_t bytes, unsigned char *to, size_t room)
{
	size_t length;

	return snappy_uncompressed_length((const char *)from, bytes, &length) == SNAPPY_OK && length == room &&
	       snappy_uncompress((const char *)from, bytes, (char *)to, &length) == SNAPPY_OK;
}

struct codec {
	const char *name;
	size_t (*pack)(const unsigned char *page, size_t bytes, unsigned char *to);
	bool (*theirs)(const unsigned char *from, size_t bytes, unsigned char *to, size_t room);
	bool (*ours)(const unsigned char *from, size_t bytes, unsigned char *to, size_t room);
	unsigned long taken;
	unsigned long refused;
};

static struct codec codecs[] = {
	{ .name = "lzo", .pack = pack_lzo, .theirs = unpack_lzo, .ours = lzo_unpack },
	{ .name = "snappy", .pack = pack_snappy, .theirs = unpack_snappy, .ours = snappy_unpack },
};

/* A place between two that nobody may touch. */
static unsigned char *guarded(size_t room)
{
	unsigned char *at = mmap(NULL, room + 2 * GUARD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED || mprotect(at + GUARD, room, PROT_READ | PROT_WRITE))
		die("no memory");
	return at + GUARD;
}

/* Half of the bytes come from before, as they do in memory. */
static void fill_page(unsigned char *page, size_t bytes)
{
	uint32_t kind = below(5);
	uint32_t symbols = kind == 0 ? 1 : kind == 1 ? 256 : 1 + below(8);
	uint32_t longest = 1 + below(below(4) ? 32 : (uint32_t)bytes);

	for (size_t at = 0; at < bytes;) {
		size_t count = 1 + below(longest);

		if (count > bytes - at)
			count = bytes - at;
		if (at > 0 && kind > 1 && below(2)) {
			size_t distance = 1 + below((uint32_t)(below(2) && at > 1024 ? 1024 : at));

			for (size_t i = 0; i < count; i++)
				page[at + i] = page[at + i - distance];
		} else {
			for (size_t i = 0; i < count; i++)
				page[at + i] = (unsigned char)below(symbols);
		}
		at += count;
	}
}

static size_t damage(unsigned char *packed, size_t length)
{
	switch (below(4)) {
	case 0:
		return below((uint32_t)length + 1);
	case 1:
		packed[length] = (unsigned char)below(256);
		return length + 1;
	default:
		for (uint32_t times = 1 + below(3); times > 0; times--) {
			/* Much depends on the first bytes. */
			uint32_t at = below(below(3) ? (uint32_t)length : length < 8 ? (uint32_t)length : 8);

			packed[at] = below(2) ? (unsigned char)below(256) : packed[at] ^ (1u << below(8));
		}
		return length;
	}
}

/* Ours, at the end or at the beginning of what may be touched, must say what theirs says. */
static bool same_answer(struct codec *codec, const unsigned char *packed, size_t length, size_t room)
{
	static unsigned char *from, *to, *expected;
	bool at_end = below(2);

	if (!from) {
		from = guarded(MAX_PACKED);
		to = guarded(MAX_PAGE);
		expected = malloc(MAX_PAGE);
	}
	unsigned char *packed_here = at_end ? from + MAX_PACKED - length : from;
	unsigned char *page_here = at_end ? to + MAX_PAGE - room : to;

	memcpy(packed_here, packed, length);
	bool theirs = codec->theirs(packed, length, expected, room);
	bool ours = codec->ours(packed_here, length, page_here, room);

	if (ours)
		codec->taken++;
	else
		codec->refused++;
	return ours == theirs && (!ours || memcmp(page_here, expected, room) == 0);
}

static void one_page(struct codec *codec)
{
	static unsigned char page[MAX_PAGE], packed[MAX_PACKED + 1], damaged[MAX_PACKED + 1];
	static unsigned char unpacked[MAX_PAGE];
	size_t bytes = 4096u << 2 * below(3);

	fill_page(page, bytes);
	size_t length = codec->pack(page, bytes, packed);

	if (!codec->ours(packed, length, unpacked, bytes) || memcmp(page, unpacked, bytes))
		die("a page that was compressed is not the same again");
	if (!same_answer(codec, packed, length, bytes - 1) ||
	    (bytes < MAX_PAGE && !same_answer(codec, packed, length, bytes + 1)))
		die("another length");
	for (int i = 0; i < DAMAGES; i++) {
		memcpy(damaged, packed, length);
		if (!same_answer(codec, damaged, damage(damaged, length), bytes))
			die("another answer to what is damaged");
	}
}

static void fuzz(uint64_t seed, unsigned long pages)
{
	state = seed;
	for (unsigned long i = 0; i < pages; i++) {
		for (size_t each = 0; each < 2; each++)
			one_page(&codecs[each]);
	}
	for (size_t each = 0; each < 2; each++)
		printf("%s %lu %lu\n", codecs[each].name, codecs[each].taken, codecs[each].refused);
}

/* Pages from the input, each with its length before it. */
static void pack_input(const struct codec *codec, size_t bytes)
{
	static unsigned char page[MAX_PAGE], packed[MAX_PACKED];

	while (fread(page, bytes, 1, stdin) == 1) {
		uint32_t length = (uint32_t)codec->pack(page, bytes, packed);

		fwrite(&length, sizeof(length), 1, stdout);
		fwrite(packed, length, 1, stdout);
	}
}

int main(int count, char **words)
{
	if (count == 4 && strcmp(words[1], "fuzz") == 0)
		fuzz(strtoull(words[2], NULL, 10), strtoul(words[3], NULL, 10));
	else if (count == 3 && strcmp(words[1], "snappy") == 0 && strtoul(words[2], NULL, 10) <= MAX_PAGE)
		pack_input(&codecs[1], strtoul(words[2], NULL, 10));
	else
		die("fuzz SEED PAGES, or snappy BYTES");
	return 0;
}
