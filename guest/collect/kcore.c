// SPDX-License-Identifier: GPL-2.0-only
/*
 * /proc/kcore (fs/proc/kcore.c): an ELF core of the running kernel, with a segment for each range of
 * memory and one for what is mapped elsewhere. It reads what is not mapped as zeroes.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fail.h"
#include "memory.h"

#define PATH "/proc/kcore"
#define MAX_NOTES ((size_t)1 << 20)
/* p_paddr of what is no memory of its own, such as vmalloc's area. */
#define NO_PHYSICAL UINT64_MAX

struct kcore {
	struct memory memory;
	int file;
	Elf64_Phdr *segments;
	size_t count;
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

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	const struct kcore *kcore = (const struct kcore *)memory;

	for (size_t i = 0; i < kcore->count; i++) {
		const Elf64_Phdr *segment = &kcore->segments[i];
		uint64_t from = va - segment->p_vaddr;

		if (va >= segment->p_vaddr && from < segment->p_memsz && bytes <= segment->p_memsz - from)
			return read_at(kcore->file, segment->p_offset + from, to, bytes);
	}
	return false;
}

static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	const struct kcore *kcore = (const struct kcore *)memory;

	for (size_t i = 0; i < kcore->count; i++) {
		const Elf64_Phdr *segment = &kcore->segments[i];
		uint64_t from = pa - segment->p_paddr;

		if (segment->p_paddr != NO_PHYSICAL && pa >= segment->p_paddr && from < segment->p_memsz &&
		    bytes <= segment->p_memsz - from)
			return read_at(kcore->file, segment->p_offset + from, to, bytes);
	}
	return false;
}

/* Finds VMCOREINFO among the notes of a segment. */
static void take_notes(struct kcore *kcore, const Elf64_Phdr *segment)
{
	size_t length = segment->p_filesz;
	unsigned char *notes;
	size_t at = 0;

	if (length > MAX_NOTES)
		return;
	notes = must_have(NULL, length + 1);
	if (!read_at(kcore->file, segment->p_offset, notes, length))
		length = 0;
	while (at + sizeof(Elf64_Nhdr) <= length) {
		Elf64_Nhdr note;
		size_t name = at + sizeof(note);
		size_t text, end;

		memcpy(&note, notes + at, sizeof(note));
		text = name + ((size_t)note.n_namesz + 3) / 4 * 4;
		end = text + note.n_descsz;
		if (text > length || end > length)
			break;
		if (note.n_namesz == sizeof("VMCOREINFO") && memcmp(notes + name, "VMCOREINFO", note.n_namesz) == 0) {
			/* The kernel pads it with zeroes. */
			kcore->memory.vmcoreinfo = (const char *)notes + text;
			kcore->memory.vmcoreinfo_length = strnlen((const char *)notes + text, note.n_descsz);
			return;
		}
		at = text + ((size_t)note.n_descsz + 3) / 4 * 4;
	}
	free(notes);
}

/* Keeps the segments of memory, and takes VMCOREINFO from the notes. */
static void take_segments(struct kcore *kcore, const Elf64_Ehdr *header)
{
	size_t bytes = (size_t)header->e_phnum * sizeof(Elf64_Phdr);
	Elf64_Phdr *all = must_have(NULL, bytes + 1);

	if (header->e_phentsize != sizeof(Elf64_Phdr) || !read_at(kcore->file, header->e_phoff, all, bytes))
		fail("The headers of %s cannot be read.", PATH);
	kcore->segments = all;
	for (size_t i = 0; i < header->e_phnum; i++) {
		if (all[i].p_type == PT_NOTE)
			take_notes(kcore, &all[i]);
		else if (all[i].p_type == PT_LOAD)
			kcore->segments[kcore->count++] = all[i];
	}
}

/* Says why the file cannot be opened, and what to do. */
static _Noreturn void fail_to_open(int error)
{
	char lockdown[128] = "";
	int file = open("/sys/kernel/security/lockdown", O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		ssize_t got = read(file, lockdown, sizeof(lockdown) - 1);

		lockdown[got > 0 ? got : 0] = '\0';
		close(file);
	}
	if (strstr(lockdown, "[confidentiality]"))
		fail("This kernel is locked down for confidentiality, so that not even root may read its memory: boot it with lockdown=integrity or lockdown=none, or collect from a crash dump with --core.");
	fail("%s cannot be opened (%s): collect needs root with CAP_SYS_RAWIO, outside of any container.", PATH,
	     strerror(error));
}

struct memory *open_kcore(void)
{
	struct kcore *kcore;
	Elf64_Ehdr header;
	int file = open(PATH, O_RDONLY | O_CLOEXEC);

	if (file < 0 && errno == ENOENT)
		return NULL;
	if (file < 0)
		fail_to_open(errno);
	if (!read_at(file, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
	    header.e_ident[EI_CLASS] != ELFCLASS64)
		fail("%s is no 64-bit ELF core.", PATH);
	if (header.e_machine != EM_AARCH64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		fail("This machine's kernel is not a little-endian arm64 one: run collect on the board itself.");
	kcore = must_have(NULL, sizeof(*kcore));
	*kcore = (struct kcore){
		.memory = { .source = "kcore", .read_virtual = read_virtual, .read_physical = read_physical },
		.file = file,
	};
	take_segments(kcore, &header);
	return &kcore->memory;
}
