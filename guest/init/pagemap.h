/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef PTDIFF_PAGEMAP_H
#define PTDIFF_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>

/* Page size of this kernel in bytes: 4096, 16384 or 65536. */
extern size_t page_bytes;

/* Opens /proc/self/pagemap; 0 or an errno. */
int pagemap_open(void);

/*
 * The physical address of a touched page of this process; 0 when it is not in memory or the kernel
 * hides it.
 */
uint64_t pagemap_physical(const void *address);

#endif
