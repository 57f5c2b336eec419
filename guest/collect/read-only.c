// SPDX-License-Identifier: GPL-2.0-only
#include "read-only.h"

#include "vmcoreinfo.h"

/* DDI 0487 D8.3: a valid entry, one that is a table or a page, and AP[2]. */
#define VALID UINT64_C(1)
#define TABLE_OR_PAGE UINT64_C(2)
#define READ_ONLY (UINT64_C(1) << 7)

static bool is_read_only_leaf(uint64_t descriptor, int level)
{
	bool is_leaf = level == 3 || !(descriptor & TABLE_OR_PAGE);

	return (descriptor & VALID) && is_leaf && (descriptor & READ_ONLY);
}

/* Adds the place in the linear map of memory that is not in the kernel's image. */
static void add_alias(const struct board *board, uint64_t pa, uint64_t bytes, struct ranges *ranges)
{
	uint64_t va = pa - board->phys_offset + board->linear_start;

	if (pa >= board->image_start && pa < board->image_end)
		return;
	if (va >= board->linear_start && va < board->linear_end)
		ranges_add(ranges, va, va + bytes);
}

static void add_run(const struct board *board, const struct run *run, int level, struct ranges *ranges)
{
	uint64_t size = UINT64_C(1) << level_shift(board, level);

	for (uint64_t i = 0; i < run->count; i++) {
		uint64_t descriptor = run->descriptor + i * run->stride;

		if (is_read_only_leaf(descriptor, level))
			add_alias(board, output_address(board, descriptor) & ~(size - 1), size, ranges);
		/* Entries that map consecutive memory have the same attributes. */
		else if (run->stride == size)
			return;
	}
}

void add_half_read_only(const struct board *board, const struct walk *walk, struct ranges *odd)
{
	struct ranges frames = { 0 }, aliases = { 0 }, without_alias, without_frame;
	uint64_t start, end;

	/* Above are fixed mappings, such as that of the device tree, which is read-only there alone. */
	if (!vmcoreinfo_find(board->memory, "NUMBER(MODULES_VADDR)", 0, &start) ||
	    !vmcoreinfo_find(board->memory, "NUMBER(VMALLOC_END)", 0, &end))
		return;
	for (int level = board->root_level; level <= 3; level++) {
		const struct runs *runs = &walk->levels[level + 1];

		for (size_t i = 0; i < runs->count; i++) {
			const struct run *run = &runs->at[i];

			if (run->va >= board->linear_start && run->va < board->linear_end)
				add_run(board, run, level, &aliases);
			else if (run->va >= start && run->va < end)
				add_run(board, run, level, &frames);
		}
	}
	ranges_sort(&frames);
	ranges_sort(&aliases);
	without_alias = ranges_subtract(&frames, &aliases);
	without_frame = ranges_subtract(&aliases, &frames);
	ranges_add_all(odd, &without_alias);
	ranges_add_all(odd, &without_frame);
	ranges_sort(odd);
	ranges_free(&frames);
	ranges_free(&aliases);
	ranges_free(&without_alias);
	ranges_free(&without_frame);
}
