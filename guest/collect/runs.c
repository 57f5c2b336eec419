// SPDX-License-Identifier: GPL-2.0-only
#include "runs.h"

#include "fail.h"

/* Of all levels together: what the reader of an archive accepts, so that memory is bounded. */
#define MAX_RUNS ((size_t)2000000)

/* The distance of neighbours that map consecutive memory, or the same. */
static bool is_usual(const struct board *board, int level, uint64_t stride)
{
	return stride == 0 || stride == UINT64_C(1) << level_shift(board, level) ||
	       stride == UINT64_C(1) << board->page_shift;
}

static void begin(struct runs *runs, uint64_t va, uint64_t descriptor)
{
	if (runs->count == MAX_RUNS)
		fail("The kernel's tables have more than %zu runs of entries of one level: they cannot be collected.",
		     MAX_RUNS);
	if (runs->count == runs->room) {
		runs->room = runs->room ? runs->room * 2 : 1024;
		runs->at = must_have(runs->at, runs->room * sizeof(*runs->at));
	}
	runs->at[runs->count++] = (struct run){ .va = va, .count = 1, .descriptor = descriptor };
}

void runs_keep(struct runs *runs, const struct run *run, uint64_t count)
{
	begin(runs, run->va, run->descriptor);
	runs->at[runs->count - 1].count = count;
	runs->at[runs->count - 1].stride = count > 1 ? run->stride : 0;
}

void runs_add(const struct board *board, struct runs *runs, int level, uint64_t va, uint64_t descriptor)
{
	struct run *last = runs->count ? &runs->at[runs->count - 1] : NULL;
	uint64_t size = UINT64_C(1) << level_shift(board, level);

	if (!last || va != last->va + last->count * size) {
		begin(runs, va, descriptor);
		return;
	}
	if (last->count > 1 && descriptor != last->descriptor + last->count * last->stride) {
		/* Two that merely follow each other are no run: the second one may begin one. */
		if (last->count == 2 && !is_usual(board, level, last->stride)) {
			uint64_t second = last->descriptor + last->stride;

			last->count = 1;
			last->stride = 0;
			begin(runs, last->va + size, second);
			last = &runs->at[runs->count - 1];
		} else {
			begin(runs, va, descriptor);
			return;
		}
	}
	if (last->count == 1)
		last->stride = descriptor - last->descriptor;
	last->count++;
}
