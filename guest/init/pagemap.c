// SPDX-License-Identifier: GPL-2.0-only
#include "pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/*
 * Documentation/admin-guide/mm/pagemap.rst: one 64-bit word per page, with the frame number in bits
 * 54:0; bit 63 means present.
 */
#define PAGEMAP_FRAME ((UINT64_C(1) << 55) - 1)
#define PAGEMAP_PRESENT (UINT64_C(1) << 63)

size_t page_bytes;
static int pagemap_file = -1;

int pagemap_open(void)
{
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	pagemap_file = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	return pagemap_file < 0 ? errno : 0;
}

uint64_t pagemap_physical(const void *address)
{
	uint64_t entry;
	off_t at = (off_t)((uintptr_t)address / page_bytes * sizeof(entry));

	if (pread(pagemap_file, &entry, sizeof(entry), at) != (ssize_t)sizeof(entry) || !(entry & PAGEMAP_PRESENT))
		return 0;
	return (entry & PAGEMAP_FRAME) * page_bytes;
}
