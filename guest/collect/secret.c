// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of memfd_secret (mm/secretmem.c): their entries of the linear map are not valid, as those of
 * other pages may be; what tells them apart is the mapping that their struct page belongs to.
 */
#include <string.h>

#include "btf.h"
#include "facts.h"
#include "symbols.h"
#include "vmcoreinfo.h"

/* Pages whose struct page is read at once. */
#define BATCH 64
#define MAX_PAGE_BYTES 256
/* The low bits of page->mapping say what it is (PAGE_MAPPING_FLAGS); those of a file have none. */
#define MAPPING_FLAGS 3

struct secret {
	const struct board *board;
	struct ranges *odd;
	/*
	 * With debug_pagealloc no free page is valid, which is nothing odd: a place that is odd for another
	 * reason must be so in several walks for that reason.
	 */
	uint8_t free_is_invalid;
	/* KFENCE's pool, and the first of its guard pages that has not been met; 0 without one. */
	uint64_t pool, next_guard;
	struct buffer *buffer;
	/* Address of the struct page of the physical address 0. */
	uint64_t vmemmap;
	uint64_t page_bytes;
	uint64_t mapping_offset;
	uint32_t operations_offset;
	uint64_t operations;
	/* The range that is not printed yet. */
	uint64_t start, end;
};

static bool find_layout(struct secret *secret)
{
	const struct board *board = secret->board;
	struct memory *memory = board->memory;
	int64_t first_page = (int64_t)board->phys_offset >> board->page_shift;

	/* A kernel without CONFIG_SECRETMEM has no such page. */
	if (!symbol_address("secretmem_aops", &secret->operations))
		return false;
	if (!vmcoreinfo_find(memory, "SIZE(page)", 0, &secret->page_bytes) || secret->page_bytes > MAX_PAGE_BYTES ||
	    !vmcoreinfo_find(memory, "OFFSET(page.mapping)", 0, &secret->mapping_offset) ||
	    secret->mapping_offset + 8 > secret->page_bytes ||
	    !vmcoreinfo_find(memory, "NUMBER(VMEMMAP_START)", 0, &secret->vmemmap) ||
	    !btf_offset("address_space", "a_ops", &secret->operations_offset)) {
		lose("Pages of memfd_secret cannot be told from others: VMCOREINFO or BTF lacks struct page, vmemmap or struct address_space.");
		return false;
	}
	/* arch/arm64/include/asm/pgtable.h: vmemmap. */
	secret->vmemmap -= (uint64_t)first_page * secret->page_bytes;
	return true;
}

static void flush(struct secret *secret)
{
	if (secret->end > secret->start)
		buffer_print(secret->buffer, "%llx %llx\n", (unsigned long long)secret->start,
			     (unsigned long long)secret->end);
	secret->start = 0;
	secret->end = 0;
}

static void add_page(struct secret *secret, uint64_t pa)
{
	if (secret->end != pa || secret->end == 0) {
		flush(secret);
		secret->start = pa;
	}
	secret->end = pa + (UINT64_C(1) << secret->board->page_shift);
}

static bool is_secret(const struct secret *secret, uint64_t mapping)
{
	struct memory *memory = secret->board->memory;
	uint64_t operations;

	return mapping && !(mapping & MAPPING_FLAGS) &&
	       memory->read_virtual(memory, mapping + secret->operations_offset, &operations, sizeof(operations)) &&
	       operations == secret->operations;
}

/* The page structures of some pages; vmemmap has no segment of its own for some ranges of memory. */
static bool read_pages(const struct secret *secret, uint64_t pa, size_t count, unsigned char *to)
{
	uint64_t va = secret->vmemmap + (pa >> secret->board->page_shift) * secret->page_bytes;

	return read_translated(secret->board, va, to, count * secret->page_bytes);
}

/*
 * A page of KFENCE's pool is not valid while its object is free, and every second one never is
 * (mm/kfence/core.c, kfence_init_pool()): how long the pool is no variable says.
 */
static bool is_in_pool(struct secret *secret, uint64_t va)
{
	if (va == secret->next_guard)
		secret->next_guard += UINT64_C(2) << secret->board->page_shift;
	return va >= secret->pool && va < secret->next_guard;
}

/* The linear alias of the kernel's data is not valid from 7.3 on. */
static void add_odd(struct secret *secret, uint64_t va, uint64_t pa)
{
	const struct board *board = secret->board;

	if (!secret->free_is_invalid && !is_in_pool(secret, va) && (pa < board->image_start || pa >= board->image_end))
		ranges_add(secret->odd, va, va + (UINT64_C(1) << board->page_shift));
}

static void check_run(struct secret *secret, const struct run *run)
{
	static unsigned char pages[BATCH * MAX_PAGE_BYTES];
	const struct board *board = secret->board;
	uint64_t page = UINT64_C(1) << board->page_shift;

	for (uint64_t first = 0; first < run->count; first += BATCH) {
		uint64_t pa = (run->va + first * page - board->linear_start) + board->phys_offset;
		size_t count = run->count - first < BATCH ? run->count - first : BATCH;

		if (!read_pages(secret, pa, count, pages)) {
			lose("The kernel's struct page cannot be read for some pages whose entries are not valid: whether they are secret is not known.");
			continue;
		}
		for (size_t i = 0; i < count; i++) {
			uint64_t mapping;

			if ((run->descriptor + (first + i) * run->stride) & 1)
				continue;
			memcpy(&mapping, pages + i * secret->page_bytes + secret->mapping_offset, sizeof(mapping));
			if (is_secret(secret, mapping))
				add_page(secret, pa + i * page);
			else
				add_odd(secret, run->va + (first + i) * page, pa + i * page);
		}
	}
}

void print_secret(const struct board *board, const struct walk *walk, struct ranges *odd, struct buffer *buffer)
{
	struct secret secret = { .board = board, .odd = odd, .buffer = buffer };
	const struct runs *pages = &walk->levels[LEVELS - 1];

	if (!find_layout(&secret))
		return;
	board_variable(board, "_debug_pagealloc_enabled_early", &secret.free_is_invalid, 1);
	if (board_variable(board, "__kfence_pool", &secret.pool, sizeof(secret.pool)) && secret.pool)
		secret.next_guard = secret.pool + (UINT64_C(1) << board->page_shift);
	for (size_t i = 0; i < pages->count; i++) {
		const struct run *run = &pages->at[i];

		/* With an odd stride, valid entries and others take turns. */
		bool may_be_invalid = !(run->descriptor & 1) || (run->stride & 1);

		if (run->va >= board->linear_start && run->va < board->linear_end && may_be_invalid)
			check_run(&secret, run);
	}
	flush(&secret);
}
