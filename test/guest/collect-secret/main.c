// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks for pages of memfd_secret with the code of guest/collect in a memory that is made up: of 16
 * pages numbers 4 to 7 are not valid, and number 5 is secret. The argument is what the kernel's
 * _debug_pagealloc_enabled_early holds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf.h"
#include "facts.h"
#include "symbols.h"

#define PAGES 16
#define STRUCT_PAGE 64
#define MAPPING_OFFSET 24
#define VMEMMAP UINT64_C(0xfffffffdffe00000)
#define OPERATIONS UINT64_C(0xffff800080001000)
#define ADDRESS_SPACE UINT64_C(0xfff0000000100000)
#define LINEAR UINT64_C(0xfff0000000000000)
#define RAM UINT64_C(0x40000000)

static unsigned char debugs;

bool symbol_address(const char *name, uint64_t *address)
{
	*address = OPERATIONS;
	return strcmp(name, "secretmem_aops") == 0;
}

bool btf_offset(const char *structure, const char *member, uint32_t *offset)
{
	(void)structure, (void)member;
	*offset = 8;
	return true;
}

bool board_variable(const struct board *board, const char *name, void *to, size_t bytes)
{
	(void)board;
	if (strcmp(name, "_debug_pagealloc_enabled_early") != 0 || bytes != 1)
		return false;
	memcpy(to, &debugs, 1);
	return true;
}

/* The page structures. */
bool read_translated(const struct board *board, uint64_t va, void *to, size_t bytes)
{
	uint64_t mapping = ADDRESS_SPACE;

	(void)board;
	memset(to, 0, bytes);
	for (uint64_t at = 0; at < bytes; at += STRUCT_PAGE) {
		if ((va + at - VMEMMAP) / STRUCT_PAGE == 5)
			memcpy((char *)to + at + MAPPING_OFFSET, &mapping, sizeof(mapping));
	}
	return true;
}

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	uint64_t operations = OPERATIONS;

	(void)memory;
	if (va != ADDRESS_SPACE + 8 || bytes != sizeof(operations))
		return false;
	memcpy(to, &operations, bytes);
	return true;
}

int main(int count, char **words)
{
	static const char info[] = "SIZE(page)=64\nOFFSET(page.mapping)=24\nNUMBER(VMEMMAP_START)=0xfffffffdffe00000\n";
	struct memory memory = { .read_virtual = read_virtual, .vmcoreinfo = info, .vmcoreinfo_length = sizeof(info) - 1 };
	struct board board = {
		.memory = &memory,
		.page_shift = 12,
		.phys_offset = RAM,
		.linear_start = LINEAR,
		.linear_end = LINEAR + PAGES * 4096,
	};
	struct run runs[] = {
		{ LINEAR, 4, RAM | 0x703, 4096 },
		{ LINEAR + 4 * 4096, 4, (RAM + 4 * 4096) | 0xe02, 4096 },
		{ LINEAR + 8 * 4096, 8, (RAM + 8 * 4096) | 0x703, 4096 },
	};
	struct walk walk = { .levels[LEVELS - 1] = { .at = runs, .count = 3 } };
	struct buffer secret = { 0 };
	struct ranges odd = { 0 };

	debugs = count > 1 ? (unsigned char)atoi(words[1]) : 0;
	print_secret(&board, &walk, &odd, &secret);
	fwrite(secret.bytes, 1, secret.length, stdout);
	for (size_t i = 0; i < odd.count; i++)
		printf("odd %" PRIx64 " %" PRIx64 "\n", odd.at[i].start - LINEAR, odd.at[i].end - LINEAR);
	for (size_t i = 0; i < lost_count; i++)
		printf("lost %s\n", lost[i]);
	return 0;
}
