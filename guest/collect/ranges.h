/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_RANGES_H
#define PTDIFF_RANGES_H

#include <stddef.h>
#include <stdint.h>

/* [start, end) of virtual addresses; an end of 0 is the top of the address space. */
struct range {
	uint64_t start;
	uint64_t end;
};

struct ranges {
	struct range *at;
	size_t count;
	size_t room;
};

/* Joined with the last one where that goes on up to there. */
void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end);
void ranges_add_all(struct ranges *ranges, const struct ranges *others);

/* Makes them ascending and apart, as the others here want them. */
void ranges_sort(struct ranges *ranges);

struct ranges ranges_intersect(const struct ranges *a, const struct ranges *b);

/* What of some ranges no other one has. */
struct ranges ranges_subtract(const struct ranges *from, const struct ranges *others);

void ranges_free(struct ranges *ranges);

#endif
