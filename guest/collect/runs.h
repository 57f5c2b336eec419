/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_RUNS_H
#define PTDIFF_RUNS_H

#include "tables.h"

/*
 * Adds an entry of a level, which must be above all that were added. Runs depend on nothing but the
 * entries: equal tables give equal runs. Ends the program at more runs than a reader accepts.
 */
void runs_add(const struct board *board, struct runs *runs, int level, uint64_t va, uint64_t descriptor);

/* Adds the first `count` entries of a run as one of their own. */
void runs_keep(struct runs *runs, const struct run *run, uint64_t count);

#endif
