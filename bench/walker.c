// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reference for the walk benchmark: the simplest C that folds the leaves of a 4K, 48-bit table tree
 * into runs.
 *
 * walker RAM_FILE ROOT_OFFSET ROUNDS pread|mmap
 *
 * The RAM file begins at physical address 0x40000000. Prints one line per round: nanoseconds,
 * leaves, runs.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RAM_BASE 0x40000000ull
#define ADDRESS 0x0000fffffffff000ull

struct run {
	uint64_t va, pa, size, attributes;
	int level;
};

static int file;
static const unsigned char *mapped;
static uint64_t ram_size;
static struct run *runs;
static size_t run_count, run_room;
static uint64_t leaves;

static void add_leaf(uint64_t va, uint64_t pa, uint64_t size, uint64_t attributes, int level)
{
	struct run *last = run_count ? &runs[run_count - 1] : NULL;

	leaves++;
	if (last && last->va + last->size == va && last->pa + last->size == pa && last->level == level &&
	    last->attributes == attributes) {
		last->size += size;
		return;
	}
	if (run_count == run_room) {
		run_room = run_room ? 2 * run_room : 64;
		runs = realloc(runs, run_room * sizeof(*runs));
		if (!runs)
			exit(1);
	}
	runs[run_count++] = (struct run){ va, pa, size, attributes, level };
}

static const uint64_t *load(uint64_t pa, uint64_t *buffer)
{
	uint64_t offset = pa - RAM_BASE;

	if (pa < RAM_BASE || offset + 4096 > ram_size)
		return NULL;
	if (mapped)
		return (const uint64_t *)(mapped + offset);
	return pread(file, buffer, 4096, offset) == 4096 ? buffer : NULL;
}

static void walk(uint64_t pa, int level, uint64_t va)
{
	uint64_t buffer[512];
	uint64_t size = 1ull << (12 + 9 * (3 - level));
	const uint64_t *table = load(pa, buffer);

	if (!table)
		return;
	for (int i = 0; i < 512; i++) {
		uint64_t entry = table[i];

		if (entry == 0)
			continue;
		if (level < 3 && (entry & 3) == 3)
			walk(entry & ADDRESS, level + 1, va + i * size);
		else
			add_leaf(va + i * size, entry & ADDRESS & ~(size - 1), size, entry & ~(ADDRESS & ~(size - 1)), level);
	}
}

int main(int argc, char **argv)
{
	struct stat info;
	uint64_t root;
	int rounds, use_mmap;

	if (argc != 5)
		return 2;
	file = open(argv[1], O_RDONLY);
	if (file < 0 || fstat(file, &info))
		return 1;
	ram_size = info.st_size;
	root = RAM_BASE + strtoull(argv[2], NULL, 0);
	rounds = atoi(argv[3]);
	use_mmap = !strcmp(argv[4], "mmap");
	for (int round = 0; round < rounds; round++) {
		struct timespec start, end;

		run_count = 0;
		leaves = 0;
		clock_gettime(CLOCK_MONOTONIC, &start);
		if (use_mmap) {
			mapped = mmap(NULL, ram_size, PROT_READ, MAP_SHARED, file, 0);
			if (mapped == MAP_FAILED)
				return 1;
		}
		walk(root, 0, 0xffff000000000000ull);
		if (use_mmap)
			munmap((void *)mapped, ram_size);
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("%lld %llu %zu\n", (end.tv_sec - start.tv_sec) * 1000000000ll + (end.tv_nsec - start.tv_nsec),
		       (unsigned long long)leaves, run_count);
	}
	return 0;
}
