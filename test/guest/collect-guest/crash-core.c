// SPDX-License-Identifier: GPL-2.0-only
/* The ELF headers that the crash kernel gets (Documentation/admin-guide/kdump/kdump.rst). */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

#define MAX_RANGES 64
#define MAX_CPUS 8

size_t iomem_ranges(const char *name, struct range *ranges, size_t room)
{
	char *text = (char *)read_whole("/proc/iomem").at;
	size_t count = 0;

	for (char *line = strtok(text, "\n"); line && count < room; line = strtok(NULL, "\n")) {
		char *rest;
		uint64_t start = strtoull(line, &rest, 16);
		uint64_t last = *rest == '-' ? strtoull(rest + 1, &rest, 16) : 0;

		if (!strncmp(rest, " : ", 3) && !strcmp(rest + 3, name))
			ranges[count++] = (struct range){ start, last + 1 };
	}
	return count;
}

static struct range note_of_cpu(unsigned int cpu)
{
	char path[96];
	uint64_t start;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%u/crash_notes", cpu);
	FILE *file = fopen(path, "re");

	if (!file)
		return (struct range){ 0, 0 };
	fclose(file);
	start = strtoull((char *)read_whole(path).at, NULL, 16);
	strcat(path, "_size");
	return (struct range){ start, start + strtoull((char *)read_whole(path).at, NULL, 10) };
}

static struct range note_of_kernel(void)
{
	char *text = (char *)read_whole("/sys/kernel/vmcoreinfo").at;
	uint64_t start = strtoull(text, &text, 16);

	return (struct range){ start, start + strtoull(text, NULL, 16) };
}

static void add(Elf64_Ehdr *header, uint32_t type, struct range range)
{
	Elf64_Phdr *segments = (Elf64_Phdr *)(header + 1);

	if (range.end <= range.start)
		return;
	segments[header->e_phnum++] = (Elf64_Phdr){
		.p_type = type,
		.p_flags = type == PT_LOAD ? PF_R | PF_W | PF_X : 0,
		.p_offset = range.start,
		.p_paddr = range.start,
		.p_filesz = range.end - range.start,
		.p_memsz = range.end - range.start,
	};
}

struct bytes core_headers(struct range crash)
{
	size_t length = sizeof(Elf64_Ehdr) + (2 * MAX_RANGES + MAX_CPUS + 1) * sizeof(Elf64_Phdr);
	Elf64_Ehdr *header = calloc(1, length);
	struct range ranges[MAX_RANGES];
	size_t count = iomem_ranges("System RAM", ranges, MAX_RANGES);

	if (!header)
		give_up("memory");
	memcpy(header->e_ident, ELFMAG, SELFMAG);
	header->e_ident[EI_CLASS] = ELFCLASS64;
	header->e_ident[EI_DATA] = ELFDATA2LSB;
	header->e_ident[EI_VERSION] = EV_CURRENT;
	header->e_type = ET_CORE;
	header->e_machine = EM_AARCH64;
	header->e_version = EV_CURRENT;
	header->e_phoff = sizeof(*header);
	header->e_ehsize = sizeof(*header);
	header->e_phentsize = sizeof(Elf64_Phdr);
	for (unsigned int cpu = 0; cpu < MAX_CPUS; cpu++)
		add(header, PT_NOTE, note_of_cpu(cpu));
	add(header, PT_NOTE, note_of_kernel());
	for (size_t i = 0; i < count; i++) {
		struct range ram = ranges[i];

		if (crash.start < ram.start || crash.end > ram.end) {
			add(header, PT_LOAD, ram);
			continue;
		}
		add(header, PT_LOAD, (struct range){ ram.start, crash.start });
		add(header, PT_LOAD, (struct range){ crash.end, ram.end });
	}
	return (struct bytes){ (unsigned char *)header, length };
}
