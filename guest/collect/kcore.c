// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/kcore (fs/proc/kcore.c): an ELF core of the running kernel, with a segment for each range of
 * memory and one for what is mapped elsewhere. It reads what is not mapped as zeroes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "elf-headers.h"
#include "fail.h"
#include "host-files.h"
#include "memory.h"

#define PATH "/proc/kcore"
/* p_paddr of what is no memory of its own, such as vmalloc's area. */
#define NO_PHYSICAL UINT64_MAX

struct kcore {
	struct memory memory;
	int file;
	struct elf_headers headers;
};

static bool read_at(int file, uint64_t offset, void *to, size_t bytes)
{
	unsigned char *at = to;

	while (bytes) {
		ssize_t got = pread(file, at, bytes, (off_t)offset);

		if (got <= 0)
			return false;
		at += got;
		offset += (uint64_t)got;
		bytes -= (size_t)got;
	}
	return true;
}

static bool read_file(void *file, uint64_t offset, void *to, size_t bytes)
{
	return read_at(((const struct kcore *)file)->file, offset, to, bytes);
}

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	const struct kcore *kcore = (const struct kcore *)memory;

	for (size_t i = 0; i < kcore->headers.count; i++) {
		const Elf64_Phdr *segment = &kcore->headers.segments[i];
		uint64_t from = va - segment->p_vaddr;

		if (va >= segment->p_vaddr && from < segment->p_memsz && bytes <= segment->p_memsz - from)
			return read_at(kcore->file, segment->p_offset + from, to, bytes);
	}
	return false;
}

static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	const struct kcore *kcore = (const struct kcore *)memory;

	for (size_t i = 0; i < kcore->headers.count; i++) {
		const Elf64_Phdr *segment = &kcore->headers.segments[i];
		uint64_t from = pa - segment->p_paddr;

		if (segment->p_paddr != NO_PHYSICAL && pa >= segment->p_paddr && from < segment->p_memsz &&
		    bytes <= segment->p_memsz - from)
			return read_at(kcore->file, segment->p_offset + from, to, bytes);
	}
	return false;
}

/* Says why the file cannot be opened, and what to do. */
static _Noreturn void fail_to_open(int error)
{
	if (strstr(lockdown_state(), "confidentiality"))
		fail("This kernel is locked down for confidentiality, so that not even root may read its memory: boot it with lockdown=integrity or lockdown=none, or collect from a crash dump with --core.");
	fail("%s cannot be opened (%s): collect needs root with CAP_SYS_RAWIO, outside of any container.", PATH,
	     strerror(error));
}

struct memory *open_kcore(void)
{
	struct kcore *kcore = must_have(NULL, sizeof(*kcore));
	struct elf_file source = { .path = PATH, .read = read_file, .file = kcore };

	*kcore = (struct kcore){
		.memory = { .source = "kcore", .read_virtual = read_virtual, .read_physical = read_physical },
		.file = open(PATH, O_RDONLY | O_CLOEXEC),
	};
	if (kcore->file < 0 && errno == ENOENT)
		return NULL;
	if (kcore->file < 0)
		fail_to_open(errno);
	if (!elf_headers_read(&source, &kcore->headers))
		fail("%s is no ELF core.", PATH);
	kcore->memory.vmcoreinfo = kcore->headers.vmcoreinfo;
	kcore->memory.vmcoreinfo_length = kcore->headers.vmcoreinfo_length;
	return &kcore->memory;
}
