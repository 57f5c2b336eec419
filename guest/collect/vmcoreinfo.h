/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_VMCOREINFO_H
#define PTDIFF_VMCOREINFO_H

#include "memory.h"

/*
 * Reads a number of VMCOREINFO by its whole key, such as "NUMBER(VA_BITS)"; false where it has none.
 * Base 16 for SYMBOL(), KERNELOFFSET and BUILD-ID; 0 for the others, which say 0x where they mean it.
 */
bool vmcoreinfo_find(const struct memory *memory, const char *key, int base, uint64_t *value);

/* The same for what cannot be done without: ends the program. */
uint64_t vmcoreinfo_need(const struct memory *memory, const char *key, int base);

#endif
