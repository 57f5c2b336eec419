// SPDX-License-Identifier: GPL-2.0-only
#include "elf-headers.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"

#define NOTE_NAME "VMCOREINFO"
/* A note for each of 4096 CPUs is a few hundred bytes. */
#define MAX_NOTES ((uint64_t)16 << 20)
/* One for each range of memory, or, where makedumpfile left pages out, for each run of pages. */
#define MAX_SEGMENTS ((uint64_t)1 << 22)

static size_t padded(uint32_t bytes)
{
	return ((size_t)bytes + 3) / 4 * 4;
}

/* Copies VMCOREINFO, which the kernel pads with zeroes, from the notes of a segment. */
static void take_notes(const struct elf_file *file, const Elf64_Phdr *segment, struct elf_headers *headers)
{
	size_t length = segment->p_filesz;
	unsigned char *notes;

	if (segment->p_filesz > MAX_NOTES)
		fail("%s: its notes are of %llu bytes, which no kernel writes: make the dump again.",
		     file->path, (unsigned long long)segment->p_filesz);
	notes = must_have(NULL, length + 1);
	if (!file->read(file->file, segment->p_offset, notes, length))
		fail("%s: it is cut short within its notes: copy the whole of it again.", file->path);
	for (size_t at = 0; at + sizeof(Elf64_Nhdr) <= length;) {
		Elf64_Nhdr note;
		size_t name = at + sizeof(note);

		memcpy(&note, notes + at, sizeof(note));
		size_t text = name + padded(note.n_namesz);

		if (text > length || note.n_descsz > length - text)
			break;
		if (note.n_namesz == sizeof(NOTE_NAME) && !memcmp(notes + name, NOTE_NAME, sizeof(NOTE_NAME))) {
			headers->vmcoreinfo_length = strnlen((char *)notes + text, note.n_descsz);
			headers->vmcoreinfo = must_have(NULL, headers->vmcoreinfo_length + 1);
			memcpy(headers->vmcoreinfo, notes + text, headers->vmcoreinfo_length);
			break;
		}
		at = text + padded(note.n_descsz);
	}
	free(notes);
}

static void require_arm64_core(const struct elf_file *file, const Elf64_Ehdr *header)
{
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_AARCH64)
		fail("%s: the core of another machine than a little-endian arm64 one: give that of an arm64 kernel.",
		     file->path);
	if (header->e_type != ET_CORE)
		fail("%s: an ELF file, but not a core of memory: give a dump such as /proc/vmcore.",
		     file->path);
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		fail("%s: its program headers are of %u bytes, not %zu: make the dump again.", file->path,
		     header->e_phentsize, sizeof(Elf64_Phdr));
}

/* The first section header has the number of segments where it does not fit (elf(5), PN_XNUM). */
static uint64_t segment_count(const struct elf_file *file, const Elf64_Ehdr *header)
{
	Elf64_Shdr section;

	if (header->e_phnum != PN_XNUM)
		return header->e_phnum;
	if (!file->read(file->file, header->e_shoff, &section, sizeof(section)))
		fail("%s: it is cut short within its headers: copy the whole of it again.", file->path);
	return section.sh_info;
}

bool elf_headers_read(const struct elf_file *file, struct elf_headers *headers)
{
	Elf64_Ehdr header;

	if (!file->read(file->file, 0, &header, sizeof(header)) || memcmp(header.e_ident, ELFMAG, SELFMAG))
		return false;
	require_arm64_core(file, &header);
	uint64_t count = segment_count(file, &header);

	if (count > MAX_SEGMENTS)
		fail("%s: it has %llu segments, which no kernel writes: make the dump again.", file->path,
		     (unsigned long long)count);
	*headers = (struct elf_headers){ .segments = must_have(NULL, count * sizeof(Elf64_Phdr) + 1) };
	if (!file->read(file->file, header.e_phoff, headers->segments, count * sizeof(Elf64_Phdr)))
		fail("%s: it is cut short within its headers: copy the whole of it again.", file->path);
	for (size_t i = 0; i < count; i++) {
		const Elf64_Phdr *segment = &headers->segments[i];

		if (segment->p_type == PT_NOTE && !headers->vmcoreinfo)
			take_notes(file, segment, headers);
		else if (segment->p_type == PT_LOAD)
			headers->segments[headers->count++] = *segment;
	}
	return true;
}
