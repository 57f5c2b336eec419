/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the kernel's memory is read from: the live kernel's own files, or a dump. All else of
 * collect reads through this, and does not know which it is.
 */
#ifndef PTDIFF_MEMORY_H
#define PTDIFF_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory {
	/* "kcore", "bpf", "vmcore", "elf", "kdump" */
	const char *source;
	/* Reads bytes at a kernel virtual address or a physical one; false where they cannot be read. */
	bool (*read_virtual)(struct memory *memory, uint64_t va, void *to, size_t bytes);
	bool (*read_physical)(struct memory *memory, uint64_t pa, void *to, size_t bytes);
	/* Text of VMCOREINFO, or NULL where it has to be searched for. */
	const char *vmcoreinfo;
	size_t vmcoreinfo_length;
};

/*
 * Each returns NULL where there is no such source, or ends the program with one sentence where it is
 * there but cannot be used.
 */
struct memory *open_kcore(void);
/* An ELF core, or /proc/vmcore. */
struct memory *open_core(const char *path);
/* A kdump-compressed dump. */
struct memory *open_kdump(const char *path);
/* A BPF program of the kind that the kernel runs for a system call. */
struct memory *open_bpf(void);

#endif
