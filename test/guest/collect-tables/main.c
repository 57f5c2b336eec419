// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walks tables that are made up as they are read, with the code of guest/collect: some that no test
 * machine has memory for, and some that change as one reads them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settle.h"

#define PAGE UINT64_C(4096)
#define TABLE UINT64_C(3)
#define LINEAR_PAGE UINT64_C(0xe8000000000707)
#define RAM UINT64_C(0x8000000000)
#define VMALLOC_ENTRY 256

/* Tables of a level begin here, one after the other in the order of what they translate. */
static const uint64_t bases[4] = { 0x1000, 0x1000000000, 0x2000000000, 0x4000000000 };

static const char *const names[] = { "terabyte", "random", "busy", "restless", "forks", "hidden" };
static enum { TERABYTE, RANDOM, BUSY, RESTLESS, FORKS, HIDDEN, NONE } scenario;
static uint64_t seed;
/* How often the first table of pages was read: each walk reads it once. */
static unsigned int reads;

static uint64_t noise(uint64_t of)
{
	of += seed * UINT64_C(0x9e3779b97f4a7c15);
	of = (of ^ of >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	of = (of ^ of >> 27) * UINT64_C(0x94d049bb133111eb);
	return of ^ of >> 31;
}

/* Number `i` of a level, counted from the first address of the kernel's half. */
static uint64_t page_entry(uint64_t i)
{
	uint64_t entry = LINEAR_PAGE + RAM + i * PAGE;

	/* What changes in three walks, and then no more. */
	if (scenario == BUSY && i == 5 && reads < 4)
		return entry + ((uint64_t)reads << 55);
	if (scenario == RESTLESS && i >= 16 && i < 20)
		return entry ^ (uint64_t)reads << 55;
	/* Pages of which some are not valid, of which some are missing, and which repeat. */
	if (scenario == RANDOM && noise(i) % 8 == 0)
		return noise(i) % 3 == 0 ? 0 : noise(i) % 3 == 1 ? entry - 1 : LINEAR_PAGE + RAM;
	if (scenario == RANDOM && noise(i / 64) % 8 == 0)
		return noise(i) | 1;
	return entry;
}

static uint64_t entries_at(int level)
{
	/* Tables of level 2: a terabyte has two of level 1, and the others a part of one. */
	uint64_t tables = scenario == TERABYTE ? 1024 : 2;

	for (; level > 1; level--)
		tables *= 512;
	return tables;
}

/* The entry of vmalloc's area has a table that is another one each time. */
static uint64_t entry_of(int level, uint64_t i)
{
	if (level == 0 && i == VMALLOC_ENTRY && scenario == FORKS)
		return (0x9000000000 + reads * PAGE) | TABLE;
	if (level == 0)
		return i < (scenario == TERABYTE ? 2 : 1) ? (bases[1] + i * PAGE) | TABLE : 0;
	if (i >= entries_at(level))
		return 0;
	return level == 3 ? page_entry(i) : (bases[level + 1] + i * PAGE) | TABLE;
}

static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	uint64_t *entries = to;
	int level = 3;

	(void)memory;
	if (pa >= 0x9000000000) {
		memset(to, 0, bytes);
		return true;
	}
	while (pa < bases[level])
		level--;
	if (pa == bases[3] && bytes == PAGE)
		reads++;
	for (size_t i = 0; i < bytes / 8; i++)
		entries[i] = entry_of(level, (pa - bases[level]) / 8 + i);
	/* A table whose alias is not valid reads as zeroes, as /proc/kcore has it. */
	if (scenario == HIDDEN && pa == bases[3] + PAGE)
		memset(to, 0, bytes);
	return true;
}

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	(void)memory, (void)va, (void)to, (void)bytes;
	return false;
}

static void print_entries(void)
{
	for (int level = 1; level <= 3; level++) {
		for (uint64_t i = 0; i < entries_at(level); i++) {
			if (entry_of(level, i))
				printf("entry %d %" PRIx64 " %" PRIx64 "\n", level,
				       -(UINT64_C(1) << 48) + (i << (12 + 9 * (3 - level))), entry_of(level, i));
		}
	}
}

/* What getrusage() says includes the program that started this one. */
static void print_memory(void)
{
	struct buffer status = { 0 };
	const char *peak;

	buffer_file(&status, "/proc/self/status", 1 << 16);
	buffer_add(&status, "", 1);
	peak = strstr((const char *)status.bytes, "VmHWM:");
	printf("kilobytes %ld\n", peak ? strtol(peak + 6, NULL, 10) : -1);
}

int main(int count, char **arguments)
{
	struct memory memory = { .read_virtual = read_virtual, .read_physical = read_physical };
	struct board board = {
		.memory = &memory,
		.page_shift = 12,
		.va_bits = 48,
		.input_bits = 48,
		.phys_offset = RAM,
		.linear_start = -(UINT64_C(1) << 48),
		.linear_end = -(UINT64_C(1) << 47),
		.root = bases[0],
		.root_entries = 512,
		.root_level = 0,
	};
	struct buffer text = { 0 };
	struct settled settled;

	if (count < 2)
		return 2;
	while (scenario < NONE && strcmp(names[scenario], arguments[1]) != 0)
		scenario++;
	seed = count > 2 ? strtoull(arguments[2], NULL, 10) : 0;
	settled = walk_until_settled(&board, NULL);
	print_walk(&board, settled.walk, &text);
	printf("walks %u %d\n", settled.walks, settled.settled);
	for (size_t i = 0; i < settled.unsettled.count; i++)
		printf("unsettled %" PRIx64 " %" PRIx64 "\n", settled.unsettled.at[i].start,
		       settled.unsettled.at[i].end);
	for (size_t i = 0; i < lost_count; i++)
		printf("lost %s\n", lost[i]);
	print_memory();
	if (scenario == RANDOM)
		print_entries();
	fwrite(text.bytes, 1, text.length, stdout);
	return 0;
}
