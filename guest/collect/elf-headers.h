/* SPDX-License-Identifier: GPL-2.0-only */
/* The headers of an ELF core: its segments, and VMCOREINFO among its notes. */
#ifndef PTDIFF_ELF_HEADERS_H
#define PTDIFF_ELF_HEADERS_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The file that holds the core, by offset; false where it has fewer bytes. */
struct elf_file {
	const char *path;
	bool (*read)(void *file, uint64_t offset, void *to, size_t bytes);
	void *file;
};

struct elf_headers {
	/* Those of PT_LOAD. */
	Elf64_Phdr *segments;
	size_t count;
	/* NULL where no note has it. */
	char *vmcoreinfo;
	size_t vmcoreinfo_length;
};

/* False where the file is no ELF file; ends the program where it is another one than an arm64 core. */
bool elf_headers_read(const struct elf_file *file, struct elf_headers *headers);

#endif
