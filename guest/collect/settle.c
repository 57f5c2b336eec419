// SPDX-License-Identifier: GPL-2.0-only
#include "settle.h"

#include <stdlib.h>
#include <unistd.h>

#include "fail.h"
#include "runs.h"

/* Guests in which something always changed took up to 14, and once more than these. */
#define MAX_WALKS 24
/* Walks after which what changes outside of the linear map is no longer waited for. */
#define PATIENT_WALKS 6
#define REST_MICROSECONDS 20000
/* Consecutive walks in which what is odd must be so. */
#define ODD_WALKS 3

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

/* Where two walks differ, ascending and apart. */
static struct ranges compare_walks(const struct board *board, const struct walk *before, const struct walk *now)
{
	struct ranges differing = { 0 };

	for (int level = -1; level <= 3; level++)
		compare_level(&before->levels[level + 1], &now->levels[level + 1],
			      UINT64_C(1) << level_shift(board, level), &differing);
	ranges_sort(&differing);
	return differing;
}

static struct ranges in_linear_map(const struct board *board, const struct ranges *ranges)
{
	struct range linear = { board->linear_start, board->linear_end };

	return ranges_intersect(ranges, &(struct ranges){ .at = &linear, .count = 1 });
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

/* What was odd in the last walks, the newest first. */
struct oddities {
	struct ranges of[ODD_WALKS];
};

static void read_oddities(struct oddities *oddities, const struct board *board, const struct reading *reading,
			  const struct walk *walk)
{
	ranges_free(&oddities->of[ODD_WALKS - 1]);
	for (size_t i = ODD_WALKS - 1; i > 0; i--)
		oddities->of[i] = oddities->of[i - 1];
	oddities->of[0] = (struct ranges){ 0 };
	if (reading)
		reading->read(board, walk, &oddities->of[0], reading->into);
}

/* What is odd in the newest walk, and was not in one of the others. */
static struct ranges newly_odd(const struct oddities *oddities)
{
	struct ranges newly = { 0 };

	for (size_t i = 1; i < ODD_WALKS; i++) {
		struct ranges added = ranges_subtract(&oddities->of[0], &oddities->of[i]);

		ranges_add_all(&newly, &added);
		ranges_free(&added);
	}
	ranges_sort(&newly);
	return newly;
}

/* Places of the linear map for which `before` does not stand, as the next walk shows. */
static struct ranges unsteady_places(const struct board *board, const struct ranges *differing,
				     const struct oddities *oddities)
{
	struct ranges places = in_linear_map(board, differing), newly = newly_odd(oddities);

	ranges_add_all(&places, &newly);
	ranges_free(&newly);
	ranges_sort(&places);
	return places;
}

struct settled walk_until_settled(const struct board *board, const struct reading *reading)
{
	static struct walk walks[2];
	struct settled result = { .walks = 1 };
	struct oddities oddities = { 0 };
	struct ranges unsteady = { 0 };

	ranges_add(&result.unsettled, 0, 0);
	walk_tables(board, &walks[0]);
	while (result.walks < MAX_WALKS) {
		struct walk *now = &walks[result.walks % 2], *before = &walks[(result.walks - 1) % 2];
		struct ranges differing, still;

		read_oddities(&oddities, board, reading, before);
		/* What changes for moments only is not seen in both. */
		usleep(REST_MICROSECONDS);
		walk_tables(board, now);
		result.walk = before;
		result.walks++;
		differing = compare_walks(board, before, now);
		still = ranges_intersect(&result.unsettled, &differing);
		ranges_free(&result.unsettled);
		result.unsettled = still;
		ranges_free(&unsteady);
		unsteady = unsteady_places(board, &differing, &oddities);
		ranges_free(&differing);
		result.settled = unsteady.count == 0;
		if (result.settled && (still.count == 0 || result.walks >= PATIENT_WALKS))
			break;
	}
	ranges_add_all(&result.unsettled, &unsteady);
	ranges_sort(&result.unsettled);
	if (result.unsettled.count)
		drop_unsettled(board, result.walk, &result.unsettled);
	if (result.walk->unreadable)
		lose("%llu tables could not be read, first the one for %#llx: what they map is not in the archive.",
		     (unsigned long long)result.walk->unreadable, (unsigned long long)result.walk->unreadable_va);
	return result;
}
