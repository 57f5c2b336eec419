/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of a kernel that runs: they are read again until they hold still. */
#ifndef PTDIFF_SETTLE_H
#define PTDIFF_SETTLE_H

#include "tables.h"

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

struct settled {
	/* The last walk, without what never held still. */
	struct walk *walk;
	unsigned int walks;
	/* Whether the last two walks had the same linear map. */
	bool settled;
	/* What was never the same in two consecutive walks, ascending. */
	struct ranges unsettled;
};

struct settled walk_until_settled(const struct board *board);

#endif
