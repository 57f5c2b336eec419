// SPDX-License-Identifier: GPL-2.0-only
#include "kdump-pages.h"

#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "fail.h"
#include "lz77.h"

/* Flags of a page (makedumpfile's diskdump_mod.h). */
#define ZLIB 0x1
#define LZO 0x2
#define SNAPPY 0x4
#define INCOMPLETE 0x8
#define EXCLUDED_VMEMMAP 0x10
#define ZSTD 0x20
#define COMPRESSED (ZLIB | LZO | SNAPPY | ZSTD)

#define OF_MEMORY 0
#define OF_DUMP 1
#define NO_PART UINT64_MAX
#define FRAMES_OF_PART ((uint64_t)BITMAP_PART * 8)

/* struct page_desc. */
struct descriptor {
	uint64_t offset;
	uint32_t bytes;
	uint32_t flags;
	uint64_t page_flags;
};

static unsigned int ones(const unsigned char *bytes, size_t count)
{
	unsigned int total = 0;

	for (size_t i = 0; i < count; i++)
		total += (unsigned int)__builtin_popcount(bytes[i]);
	return total;
}

static const unsigned char *bitmap_part(struct kdump_pages *pages, int which, uint64_t number)
{
	struct bitmap_part *part = &pages->parts[which];
	uint64_t bitmap = pages->layout.bitmap_bytes / 2;
	uint64_t from = number * BITMAP_PART;
	size_t count = bitmap - from < BITMAP_PART ? (size_t)(bitmap - from) : BITMAP_PART;

	if (part->number == number)
		return part->bytes;
	memset(part->bytes, 0, BITMAP_PART);
	if (!dump_file_read(pages->file, pages->layout.bitmaps + (uint64_t)which * bitmap + from, part->bytes,
			    count))
		fail("%s: it is cut short within its bitmaps: copy the whole of it again.",
		     dump_file_path(pages->file));
	part->number = number;
	return part->bytes;
}

static bool in_bitmap(struct kdump_pages *pages, int which, uint64_t frame)
{
	const unsigned char *bits = bitmap_part(pages, which, frame / FRAMES_OF_PART);
	uint64_t bit = frame % FRAMES_OF_PART;

	return bits[bit / 8] >> bit % 8 & 1;
}

void kdump_pages_open(struct kdump_pages *pages, struct dump_file *file, const struct kdump_layout *layout)
{
	uint64_t parts = (layout->frames + FRAMES_OF_PART - 1) / FRAMES_OF_PART;
	uint64_t before = 0;

	*pages = (struct kdump_pages){ .file = file, .block_size = layout->block_size, .layout = *layout };
	if (layout->bitmap_bytes / 2 < (layout->frames + 7) / 8)
		fail("%s: bitmaps of %llu bytes for %llu page frames, which is too little: make the dump again.",
		     dump_file_path(file), (unsigned long long)layout->bitmap_bytes,
		     (unsigned long long)layout->frames);
	pages->descriptors = layout->bitmaps + layout->bitmap_bytes;
	pages->parts[OF_MEMORY].number = pages->parts[OF_DUMP].number = NO_PART;
	pages->before_part = must_have(NULL, (parts + 1) * sizeof(*pages->before_part));
	for (uint64_t i = 0; i < parts; i++) {
		pages->before_part[i] = before;
		before += ones(bitmap_part(pages, OF_DUMP, i), BITMAP_PART);
	}
	pages->before_part[parts] = before;
	pages->compressed = must_have(NULL, 2 * MAX_BLOCK);
}

/* How many pages of the dump come before a page, whose descriptor is then the next one. */
static uint64_t rank(struct kdump_pages *pages, uint64_t frame)
{
	const unsigned char *bits = bitmap_part(pages, OF_DUMP, frame / FRAMES_OF_PART);
	uint64_t bit = frame % FRAMES_OF_PART;
	unsigned int below =
		ones(bits, bit / 8) + (unsigned int)__builtin_popcount(bits[bit / 8] & ((1u << bit % 8) - 1));

	return pages->before_part[frame / FRAMES_OF_PART] + below;
}

static _Noreturn void fail_damaged(const struct kdump_pages *pages, uint64_t frame)
{
	fail("%s: the page at 0x%llx is damaged: copy the dump again.", dump_file_path(pages->file),
	     (unsigned long long)(frame * pages->block_size));
}

static void require_readable(const struct kdump_pages *pages, uint32_t flags)
{
	const char *path = dump_file_path(pages->file);

	if (flags & ~(uint32_t)(COMPRESSED | INCOMPLETE | EXCLUDED_VMEMMAP))
		fail("%s: its pages have flags 0x%x, which makedumpfile 1.7 does not know: convert it with 'makedumpfile -c %s NEW'.",
		     path, flags, path);
}

/* False where the bytes are not a page in the one format that they are said to be in. */
static bool unpack(const unsigned char *from, const struct descriptor *descriptor, unsigned char *to, uint32_t room)
{
	uLongf length = room;

	switch (descriptor->flags & COMPRESSED) {
	case ZLIB:
		return uncompress(to, &length, from, descriptor->bytes) == Z_OK && length == room;
	case LZO:
		return lzo_unpack(from, descriptor->bytes, to, room);
	case SNAPPY:
		return snappy_unpack(from, descriptor->bytes, to, room);
	case ZSTD:
		return ZSTD_decompress(to, room, from, descriptor->bytes) == room;
	default:
		return false;
	}
}

static void decompress(struct kdump_pages *pages, uint64_t frame, const struct descriptor *descriptor,
		       unsigned char *to)
{
	if (!dump_file_read(pages->file, descriptor->offset, pages->compressed, descriptor->bytes))
		fail("%s: it is cut short: it lacks the page at 0x%llx; copy the whole of it again.",
		     dump_file_path(pages->file), (unsigned long long)(frame * pages->block_size));
	if (!unpack(pages->compressed, descriptor, to, pages->block_size))
		fail_damaged(pages, frame);
}

static void read_page(struct kdump_pages *pages, uint64_t frame, unsigned char *to)
{
	struct descriptor descriptor;
	uint64_t at = pages->descriptors + rank(pages, frame) * sizeof(descriptor);

	if (!dump_file_read(pages->file, at, &descriptor, sizeof(descriptor)))
		fail("%s: it is cut short within the list of its pages: copy the whole of it again.",
		     dump_file_path(pages->file));
	require_readable(pages, descriptor.flags);
	if (descriptor.bytes > 2 * MAX_BLOCK)
		fail_damaged(pages, frame);
	if (descriptor.flags & COMPRESSED)
		decompress(pages, frame, &descriptor, to);
	else if (descriptor.bytes != pages->block_size ||
		 !dump_file_read(pages->file, descriptor.offset, to, descriptor.bytes))
		fail_damaged(pages, frame);
}

const unsigned char *kdump_page(struct kdump_pages *pages, uint64_t frame)
{
	struct cached_page *cached = &pages->cache[frame % CACHED_PAGES];

	if (frame >= pages->layout.frames || !in_bitmap(pages, OF_MEMORY, frame))
		return NULL;
	if (cached->frame == frame + 1)
		return cached->bytes;
	if (!in_bitmap(pages, OF_DUMP, frame) && !pages->layout.zero_pages_left_out)
		return NULL;
	if (!cached->bytes)
		cached->bytes = must_have(NULL, pages->block_size);
	cached->frame = frame + 1;
	if (in_bitmap(pages, OF_DUMP, frame))
		read_page(pages, frame, cached->bytes);
	else
		memset(cached->bytes, 0, pages->block_size);
	return cached->bytes;
}

bool kdump_next_dumped(struct kdump_pages *pages, uint64_t *frame)
{
	while (*frame < pages->layout.frames) {
		uint64_t part = *frame / FRAMES_OF_PART;

		/* Physical addresses have holes of terabytes. */
		if (pages->before_part[part] == pages->before_part[part + 1])
			*frame = (part + 1) * FRAMES_OF_PART;
		else if (in_bitmap(pages, OF_DUMP, *frame))
			return true;
		else
			(*frame)++;
	}
	return false;
}
