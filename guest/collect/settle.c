// SPDX-License-Identifier: GPL-2.0-only
#include "settle.h"

#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "runs.h"

/* A busy machine's linear map was the same twice after four. */
#define MAX_WALKS 24
/* Walks after which what changes outside of the linear map is no longer waited for. */
#define PATIENT_WALKS 6
#define REST_MICROSECONDS 20000

static void ranges_add(struct ranges *ranges, uint64_t start, uint64_t end)
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

/* A place in the runs of one level: `skip` entries of the run at `index` are done. */
struct place {
	const struct runs *runs;
	size_t index;
	uint64_t skip;
};

static const struct run *run_at(const struct place *place)
{
	return place->index < place->runs->count ? &place->runs->at[place->index] : NULL;
}

static void skip(struct place *place, uint64_t count)
{
	place->skip += count;
	if (place->skip == place->runs->at[place->index].count) {
		place->index++;
		place->skip = 0;
	}
}

/* Compares `count` entries from the same address on; adds those that differ, as a whole. */
static void compare_entries(const struct place *a, const struct place *b, uint64_t va, uint64_t count, uint64_t size,
			    struct ranges *differing)
{
	const struct run *x = run_at(a), *y = run_at(b);
	bool same = x->descriptor + a->skip * x->stride == y->descriptor + b->skip * y->stride &&
		    (count == 1 || x->stride == y->stride);

	if (!same)
		ranges_add(differing, va, va + count * size);
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Adds where two walks of a level differ, ascending. */
static void compare_level(const struct runs *before, const struct runs *now, uint64_t size, struct ranges *differing)
{
	struct place a = { .runs = before }, b = { .runs = now };

	while (run_at(&a) || run_at(&b)) {
		const struct run *x = run_at(&a), *y = run_at(&b);
		uint64_t x_va = x ? x->va + a.skip * size : 0, y_va = y ? y->va + b.skip * size : 0;
		uint64_t x_left = x ? x->count - a.skip : 0, y_left = y ? y->count - b.skip : 0;
		uint64_t count;

		if (x && y && x_va == y_va) {
			count = smaller(x_left, y_left);
			compare_entries(&a, &b, x_va, count, size, differing);
			skip(&a, count);
			skip(&b, count);
		} else if (!y || (x && x_va < y_va)) {
			count = y ? smaller(x_left, (y_va - x_va) / size) : x_left;
			ranges_add(differing, x_va, x_va + count * size);
			skip(&a, count);
		} else {
			count = x ? smaller(y_left, (x_va - y_va) / size) : y_left;
			ranges_add(differing, y_va, y_va + count * size);
			skip(&b, count);
		}
	}
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/* Where two walks differ, ascending and apart. */
static struct ranges compare_walks(const struct board *board, const struct walk *before, const struct walk *now)
{
	struct ranges raw = { 0 }, joined = { 0 };

	for (int level = -1; level <= 3; level++)
		compare_level(&before->levels[level + 1], &now->levels[level + 1],
			      UINT64_C(1) << level_shift(board, level), &raw);
	if (raw.count)
		qsort(raw.at, raw.count, sizeof(*raw.at), by_start);
	for (size_t i = 0; i < raw.count; i++)
		ranges_add(&joined, raw.at[i].start, raw.at[i].end);
	free(raw.at);
	return joined;
}

static struct ranges intersect(const struct ranges *a, const struct ranges *b)
{
	struct ranges both = { 0 };
	size_t i = 0, j = 0;

	while (i < a->count && j < b->count) {
		const struct range *x = &a->at[i], *y = &b->at[j];
		uint64_t start = x->start > y->start ? x->start : y->start;
		uint64_t last = smaller(x->end - 1, y->end - 1);

		if (start <= last)
			ranges_add(&both, start, last + 1);
		if (x->end - 1 < y->end - 1)
			i++;
		else
			j++;
	}
	return both;
}

static bool touches_linear_map(const struct board *board, const struct ranges *ranges)
{
	for (size_t i = 0; i < ranges->count; i++) {
		if (ranges->at[i].start < board->linear_end && ranges->at[i].end - 1 >= board->linear_start)
			return true;
	}
	return false;
}

/*
 * Of a range of entries, how many from the first on are in one of the ranges as a whole (`in`), or
 * are not.
 */
static uint64_t entries_alike(const struct ranges *ranges, uint64_t va, uint64_t count, uint64_t size, bool *in)
{
	*in = false;
	for (size_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->at[i];
		/* Entries that begin before the range does are not in it. */
		uint64_t before = range->start > va ? (range->start - va + size - 1) / size : 0;
		uint64_t inside;

		if (range->end != 0 && range->end <= va)
			continue;
		if (before >= count)
			break;
		/* The whole entries from there to the end of the range; an end of 0 is 2^64. */
		inside = (range->end - (va + before * size)) / size;
		if (range->end != 0 && range->end < va + before * size)
			inside = 0;
		if (inside == 0)
			continue;
		*in = before == 0;
		return smaller(count, before ? before : inside);
	}
	return count;
}

/*
 * Leaves out what never held still. It may be no entries at all, but what a table that was freed in
 * the middle of a walk holds now, and no other content of memory may leave the machine.
 */
static void drop_unsettled(const struct board *board, struct walk *walk, const struct ranges *unsettled)
{
	for (int level = -1; level <= 3; level++) {
		uint64_t size = UINT64_C(1) << level_shift(board, level);
		struct runs *runs = &walk->levels[level + 1];
		struct runs kept = { 0 };

		for (size_t i = 0; i < runs->count; i++) {
			struct run rest = runs->at[i];

			while (rest.count) {
				bool dropped;
				uint64_t count = entries_alike(unsettled, rest.va, rest.count, size, &dropped);

				if (!dropped)
					runs_keep(&kept, &rest, count);
				rest.va += count * size;
				rest.descriptor += count * rest.stride;
				rest.count -= count;
			}
		}
		free(runs->at);
		*runs = kept;
	}
}

struct settled walk_until_settled(const struct board *board)
{
	static struct walk walks[2];
	struct settled result = { .walks = 1 };

	ranges_add(&result.unsettled, 0, 0);
	walk_tables(board, &walks[0]);
	while (result.walks < MAX_WALKS) {
		struct walk *now = &walks[result.walks % 2], *before = &walks[(result.walks - 1) % 2];
		struct ranges differing, still;

		if (result.walks > 2)
			usleep(REST_MICROSECONDS);
		walk_tables(board, now);
		result.walk = now;
		result.walks++;
		differing = compare_walks(board, before, now);
		still = intersect(&result.unsettled, &differing);
		free(result.unsettled.at);
		result.unsettled = still;
		result.settled = !touches_linear_map(board, &differing);
		free(differing.at);
		if (result.settled && (still.count == 0 || result.walks >= PATIENT_WALKS))
			break;
	}
	if (result.unsettled.count)
		drop_unsettled(board, result.walk, &result.unsettled);
	if (result.walk->unreadable)
		lose("%llu tables could not be read, first the one for %#llx: what they map is not in the archive.",
		     (unsigned long long)result.walk->unreadable, (unsigned long long)result.walk->unreadable_va);
	return result;
}
