// SPDX-License-Identifier: GPL-2.0-only
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pagemap.h"
#include "probes.h"

/* include/uapi/asm-generic/unistd.h, since Linux 5.14. */
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/*
 * Pages 0-3 and 6-7 are touched; 4 and 5 stay a hole, so that neighbours in the file need not be
 * neighbours in memory.
 */
#define FILE_PAGES 8
#define HOLE_START 4
#define HOLE_END 6

static int held = -1;
static unsigned char *held_memory;

unsigned char *secret_pages(struct probe_result *result, size_t pages, int *file)
{
	unsigned char *memory;

	*file = (int)syscall(SYS_memfd_secret, 0);
	if (*file < 0) {
		probe_failed(result, "memfd_secret");
		return NULL;
	}
	if (ftruncate(*file, (off_t)(pages * page_bytes))) {
		probe_failed(result, "ftruncate");
		return NULL;
	}
	memory = mmap(NULL, pages * page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, *file, 0);
	if (memory == MAP_FAILED) {
		probe_failed(result, "mmap");
		return NULL;
	}
	return memory;
}

/*
 * mm/secretmem.c: each page becomes invalid in the linear map (set_direct_map_invalid_noflush())
 * when it is first touched.
 */
void probe_memfd_secret(struct probe_result *result)
{
	unsigned char *memory = secret_pages(result, FILE_PAGES, &held);

	if (!memory)
		return;
	held_memory = memory;
	probe_touch(result, memory, HOLE_START);
	if (!result->error)
		probe_touch(result, memory + HOLE_END * page_bytes, FILE_PAGES - HOLE_END);
}

/* secretmem_free_folio() makes each page valid in the linear map again. */
void probe_memfd_secret_release(struct probe_result *result)
{
	if (held_memory && munmap(held_memory, FILE_PAGES * page_bytes))
		probe_failed(result, "munmap");
	if (held >= 0)
		close(held);
}
