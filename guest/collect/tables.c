// SPDX-License-Identifier: GPL-2.0-only
#include "tables.h"

#include "fail.h"
#include "runs.h"

#define MAX_ENTRIES ((size_t)65536 / 8)
/* In the tables of a kernel; a hostile one in a dump could have more, shared among entries. */
#define MAX_TABLES (UINT64_C(1) << 26)

static uint64_t bits(unsigned int high, unsigned int low)
{
	return (~UINT64_C(0) >> (63 - high)) & (~UINT64_C(0) << low);
}

/* DDI 0487 D8.3: where bits 51:48 of an address are depends on the granule. */
uint64_t output_address(const struct board *board, uint64_t descriptor)
{
	if (board->page_shift == 16)
		return (descriptor & bits(47, 16)) | (descriptor & bits(15, 12)) << 36;
	if (board->lpa2)
		return (descriptor & bits(49, board->page_shift)) | (descriptor & bits(9, 8)) << 42;
	return descriptor & bits(47, board->page_shift);
}

static bool is_table(uint64_t descriptor, int level)
{
	return level < 3 && (descriptor & 3) == 3;
}

static bool all_zero(const uint64_t *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (entries[i])
			return false;
	}
	return true;
}

/*
 * Reads a table. From 7.3 the linear alias of the image's data is not valid, and tables are there,
 * too: those are read through the image. What is elsewhere is read through its linear alias.
 */
static bool read_unchecked(const struct board *board, uint64_t pa, uint64_t *to, size_t bytes)
{
	struct memory *memory = board->memory;

	if (pa >= board->image_start && pa < board->image_end)
		return memory->read_virtual(memory, pa + board->kimage_voffset, to, bytes);
	return memory->read_physical(memory, pa, to, bytes);
}

bool translate(const struct board *board, uint64_t va, uint64_t *pa)
{
	uint64_t table = board->root;
	uint64_t mask = board->root_entries - 1;

	for (int level = board->root_level; level <= 3; level++) {
		unsigned int shift = level_shift(board, level);
		uint64_t descriptor;

		if (!read_unchecked(board, table + (va >> shift & mask) * 8, &descriptor, 8) || !(descriptor & 1))
			return false;
		if (!is_table(descriptor, level)) {
			uint64_t offset = va & bits(shift - 1, 0);

			*pa = (output_address(board, descriptor) & ~bits(shift - 1, 0)) | offset;
			return true;
		}
		table = output_address(board, descriptor);
		mask = (1 << (board->page_shift - 3)) - 1;
	}
	return false;
}

bool read_translated(const struct board *board, uint64_t va, void *to, size_t bytes)
{
	unsigned char *at = to;
	uint64_t page = UINT64_C(1) << board->page_shift;

	while (bytes) {
		uint64_t pa, part = page - (va & (page - 1));

		if (part > bytes)
			part = bytes;
		if (!translate(board, va, &pa) || !board->memory->read_physical(board->memory, pa, at, part))
			return false;
		at += part;
		va += part;
		bytes -= part;
	}
	return true;
}

/*
 * A table of zeroes may be one that cannot be read: /proc/kcore shows zeroes then. Whether its alias
 * is valid tells the two apart.
 */
static bool read_table(const struct board *board, uint64_t pa, uint64_t *to, size_t count)
{
	uint64_t alias = (pa - board->phys_offset) | board->linear_start;
	bool in_image = pa >= board->image_start && pa < board->image_end;
	uint64_t found;

	if (!read_unchecked(board, pa, to, count * 8))
		return false;
	if (in_image || !all_zero(to, count))
		return true;
	return translate(board, alias, &found) && found == pa;
}

struct walking {
	const struct board *board;
	struct walk *walk;
	uint64_t tables;
};

/* One buffer for each level: the walk goes back to a table once it has been below it. */
static uint64_t entries_of[LEVELS][MAX_ENTRIES];

static void walk_table(struct walking *walking, uint64_t pa, int level, uint64_t va, size_t count)
{
	const struct board *board = walking->board;
	unsigned int shift = level_shift(board, level);
	uint64_t *entries = entries_of[level + 1];

	if (++walking->tables > MAX_TABLES)
		fail("The kernel has more than %llu tables, or tables that are shared without end: they cannot be collected.",
		     (unsigned long long)MAX_TABLES);
	if (!read_table(board, pa, entries, count)) {
		if (walking->walk->unreadable++ == 0)
			walking->walk->unreadable_va = va;
		return;
	}
	for (size_t i = 0; i < count; i++) {
		uint64_t at = va + ((uint64_t)i << shift);

		if (entries[i] == 0)
			continue;
		runs_add(board, &walking->walk->levels[level + 1], level, at, entries[i]);
		if (is_table(entries[i], level))
			walk_table(walking, output_address(board, entries[i]), level + 1, at,
				   (size_t)1 << (board->page_shift - 3));
	}
}

void walk_tables(const struct board *board, struct walk *walk)
{
	struct walking walking = { .board = board, .walk = walk };

	for (size_t i = 0; i < LEVELS; i++)
		walk->levels[i].count = 0;
	walk->unreadable = 0;
	walk_table(&walking, board->root, board->root_level, -(UINT64_C(1) << board->input_bits),
		   board->root_entries);
	if (walk->unreadable && walk->levels[board->root_level + 1].count == 0)
		fail("The kernel's first table, at %#llx, cannot be read.", (unsigned long long)board->root);
}

void print_walk(const struct board *board, const struct walk *walk, struct buffer *buffer)
{
	buffer_print(buffer, "root %llx %zu\n", (unsigned long long)board->root, board->root_entries);
	for (int level = -1; level <= 3; level++) {
		const struct runs *runs = &walk->levels[level + 1];

		for (size_t i = 0; i < runs->count; i++) {
			const struct run *run = &runs->at[i];

			buffer_print(buffer, "%d %llx %llx %llx %llx\n", level, (unsigned long long)run->va,
				     (unsigned long long)run->count, (unsigned long long)run->descriptor,
				     (unsigned long long)run->stride);
		}
	}
}
