// SPDX-License-Identifier: GPL-2.0-only
/* ELF cores: /proc/vmcore of a crash kernel, QEMU's dump-guest-memory, makedumpfile -E. */
#include <string.h>

#include "dump.h"
#include "elf-headers.h"
#include "fail.h"

struct core {
	struct dump dump;
	struct elf_headers headers;
	/* Where the last read was: the next one is most often near. */
	size_t last;
};

static bool read_file(void *file, uint64_t offset, void *to, size_t bytes)
{
	return dump_file_read(file, offset, to, bytes);
}

static bool has(const Elf64_Phdr *segment, uint64_t pa)
{
	return pa >= segment->p_paddr && pa - segment->p_paddr < segment->p_memsz;
}

static const Elf64_Phdr *segment_of(struct core *core, uint64_t pa)
{
	if (core->last < core->headers.count && has(&core->headers.segments[core->last], pa))
		return &core->headers.segments[core->last];
	for (size_t i = 0; i < core->headers.count; i++) {
		if (has(&core->headers.segments[i], pa)) {
			core->last = i;
			return &core->headers.segments[i];
		}
	}
	return NULL;
}

/* What is in memory and not in the file is zero (elf(5)); makedumpfile leaves pages of zeroes out so. */
static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	struct core *core = (struct core *)memory;
	unsigned char *at = to;

	while (bytes) {
		const Elf64_Phdr *segment = segment_of(core, pa);

		if (!segment)
			return false;
		uint64_t skipped = pa - segment->p_paddr;
		bool in_file = skipped < segment->p_filesz;
		uint64_t rest = (in_file ? segment->p_filesz : segment->p_memsz) - skipped;
		size_t count = rest < bytes ? (size_t)rest : bytes;

		if (!in_file)
			memset(at, 0, count);
		else if (!dump_file_read(core->dump.file, segment->p_offset + skipped, at, count))
			return false;
		at += count;
		pa += count;
		bytes -= count;
	}
	return true;
}

static void each_range(struct dump *dump, range_visitor visit)
{
	const struct elf_headers *headers = &((struct core *)dump)->headers;

	for (size_t i = 0; i < headers->count; i++) {
		const Elf64_Phdr *segment = &headers->segments[i];

		if (visit(dump, segment->p_paddr, segment->p_paddr + segment->p_filesz))
			return;
	}
}

/* Also that the file has all of each segment: a search of memory must end. */
static void require_sense(const struct core *core)
{
	const char *path = dump_file_path(core->dump.file);
	char last;

	for (size_t i = 0; i < core->headers.count; i++) {
		const Elf64_Phdr *segment = &core->headers.segments[i];

		if (segment->p_filesz > segment->p_memsz || segment->p_memsz > UINT64_MAX - segment->p_paddr ||
		    segment->p_filesz > UINT64_MAX - segment->p_offset)
			fail("%s: segment %zu has a size of no sense: make the dump again.", path, i);
		if (segment->p_filesz &&
		    !dump_file_read(core->dump.file, segment->p_offset + segment->p_filesz - 1, &last, 1))
			fail("%s: it is cut short: it ends before the end of segment %zu; copy the whole of it again.",
			     path, i);
	}
}

struct memory *open_core(const char *path)
{
	struct core *core = must_have(NULL, sizeof(*core));
	struct dump_file *file = dump_file_open(path);
	struct elf_file source = { .path = path, .read = read_file, .file = file };

	memset(core, 0, sizeof(*core));
	if (!elf_headers_read(&source, &core->headers)) {
		dump_file_close(file);
		return NULL;
	}
	core->dump.file = file;
	core->dump.memory = (struct memory){
		.source = strcmp(path, "/proc/vmcore") ? "elf" : "vmcore",
		.read_physical = read_physical,
		.vmcoreinfo = core->headers.vmcoreinfo,
		.vmcoreinfo_length = core->headers.vmcoreinfo_length,
	};
	require_sense(core);
	dump_finish(&core->dump, each_range);
	return &core->dump.memory;
}
