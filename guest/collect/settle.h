/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of a kernel that runs: they are read again until they hold still. */
#ifndef PTDIFF_SETTLE_H
#define PTDIFF_SETTLE_H

#include "ranges.h"
#include "tables.h"

struct settled {
	/* The last walk but one, without what is unsettled. */
	struct walk *walk;
	unsigned int walks;
	/* Whether the last two walks had the same linear map. */
	bool settled;
	/*
	 * What was never the same in two consecutive walks, and of the linear map what was not in the
	 * last two, or was not always odd in the last ones; ascending.
	 */
	struct ranges unsettled;
};

/* What else is read for a walk, between it and the next one; later readings replace earlier ones. */
struct reading {
	/* Adds, ascending, places of the linear map that the walk does not account for. */
	void (*read)(const struct board *board, const struct walk *walk, struct ranges *odd, void *into);
	void *into;
};

/*
 * Two walks that agree vouch for what was read between them. Where the first of them does not account
 * for a place, it must be so in some walks more: that place may have changed, and back again.
 */
struct settled walk_until_settled(const struct board *board, const struct reading *reading);

#endif
