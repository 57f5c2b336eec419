/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_DUMPED_FILES_H
#define PTDIFF_DUMPED_FILES_H

#include "archive.h"
#include "board.h"

/*
 * Adds what /proc and /sys of the kernel in a dump would show, as far as variables of the kernel hold
 * it as it is, and notes the rest as lost. `areas` is what print_vmallocinfo() made of it.
 */
void add_dumped_files(struct archive *archive, const struct board *board, struct buffer areas);

#endif
