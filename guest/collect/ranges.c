// SPDX-License-Identifier: GPL-2.0-only
#include "ranges.h"

#include <stdlib.h>

#include "fail.h"

void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
{
	struct range *last = ranges->count ? &ranges->at[ranges->count - 1] : NULL;

	if (last && start >= last->start && (last->end == 0 || start <= last->end)) {
		/* Compared as last addresses, since an end may be 0. */
		if (end - 1 > last->end - 1)
			last->end = end;
		return;
	}
	if (ranges->count == ranges->room) {
		ranges->room = ranges->room ? ranges->room * 2 : 64;
		ranges->at = must_have(ranges->at, ranges->room * sizeof(*ranges->at));
	}
	ranges->at[ranges->count++] = (struct range){ start, end };
}

void ranges_add_all(struct ranges *ranges, const struct ranges *others)
{
	for (size_t i = 0; i < others->count; i++)
		ranges_add(ranges, others->at[i].start, others->at[i].end);
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

void ranges_sort(struct ranges *ranges)
{
	struct ranges joined = { 0 };

	if (ranges->count)
		qsort(ranges->at, ranges->count, sizeof(*ranges->at), by_start);
	ranges_add_all(&joined, ranges);
	ranges_free(ranges);
	*ranges = joined;
}

struct ranges ranges_intersect(const struct ranges *a, const struct ranges *b)
{
	struct ranges both = { 0 };
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		const struct range *x = &a->at[i], *y = &b->at[j];
		uint64_t start = x->start > y->start ? x->start : y->start;
		uint64_t last = x->end - 1 < y->end - 1 ? x->end - 1 : y->end - 1;

		if (start <= last)
			ranges_add(&both, start, last + 1);
		if (x->end - 1 < y->end - 1)
			i++;
		else
			j++;
	}
	return both;
}

struct ranges ranges_subtract(const struct ranges *from, const struct ranges *others)
{
	struct ranges left = { 0 };
	size_t j = 0;

	for (size_t i = 0; i < from->count; i++) {
		uint64_t start = from->at[i].start, last = from->at[i].end - 1;

		while (j < others->count && others->at[j].end - 1 < start)
			j++;
		for (size_t k = j; k < others->count && others->at[k].start <= last; k++) {
			if (others->at[k].start > start)
				ranges_add(&left, start, others->at[k].start);
			start = others->at[k].end;
			if (start == 0 || start > last)
				break;
		}
		if (start != 0 && start <= last)
			ranges_add(&left, start, last + 1);
	}
	return left;
}

void ranges_free(struct ranges *ranges)
{
	free(ranges->at);
	*ranges = (struct ranges){ 0 };
}
