/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_READ_ONLY_H
#define PTDIFF_READ_ONLY_H

#include "ranges.h"
#include "tables.h"

/*
 * What vmalloc maps read-only (text of modules, programs of BPF) is read-only in the linear map, too
 * (change_memory_common() in arch/arm64/mm/pageattr.c). A walk comes to the two at different moments:
 * adds the places of the linear map, ascending, at which a walk has only one of them.
 */
void add_half_read_only(const struct board *board, const struct walk *walk, struct ranges *odd);

#endif
