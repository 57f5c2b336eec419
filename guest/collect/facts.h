/* SPDX-License-Identifier: GPL-2.0-only */
/* The members of an archive that come from single variables of the kernel. */
#ifndef PTDIFF_FACTS_H
#define PTDIFF_FACTS_H

#include "board.h"
#include "buffer.h"
#include "settle.h"

/* Each prints one member, and notes as lost what it could not have. */
void print_variables(const struct board *board, struct buffer *buffer);
void print_memblock(const struct board *board, struct buffer *buffer);
void print_overrides(const struct board *board, struct buffer *buffer);
void print_cpus(const struct board *board, bool is_live, struct buffer *buffer);
/*
 * Pages of memfd_secret among what is not valid in the linear map; adds those that are none to `odd`,
 * unless they are so many that free memory is not valid (debug_pagealloc).
 */
void print_secret(const struct board *board, const struct walk *walk, struct ranges *odd, struct buffer *buffer);
/* What /proc/vmallocinfo says; false, and nothing printed, where the kernel's own lists cannot be read. */
bool print_vmallocinfo(const struct board *board, struct buffer *buffer);

#endif
