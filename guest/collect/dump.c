// SPDX-License-Identifier: GPL-2.0-only
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "fail.h"
#include "tables.h"
#include "vmcoreinfo.h"

/* VMCOREINFO is a page of its own (kernel/vmcore_info.c); pages are of 4 KiB at least. */
#define SMALLEST_PAGE 4096
#define FIRST_LINE "OSRELEASE="

static bool read_virtual(struct memory *memory, uint64_t va, void *to, size_t bytes)
{
	return read_translated(&((struct dump *)memory)->geometry, va, to, bytes);
}

/*
 * Whether what VMCOREINFO says fits memory: the tables map the kernel's text where kimage_voffset says.
 * A page of an earlier kernel, of a virtual machine or of a file does not.
 */
static bool fits(struct dump *dump)
{
	uint64_t text, pa;

	return vmcoreinfo_find(&dump->memory, "SYMBOL(_stext)", 16, &text) &&
	       !board_geometry(&dump->geometry, &dump->memory) && translate(&dump->geometry, text, &pa) &&
	       pa == text - dump->geometry.kimage_voffset;
}

/* Takes the page at a physical address as VMCOREINFO, if it is. */
static bool take_page(struct dump *dump, uint64_t pa)
{
	struct memory *memory = &dump->memory;
	char text[SMALLEST_PAGE + 1];
	char *kept;

	if (!memory->read_physical(memory, pa, text, SMALLEST_PAGE) ||
	    memcmp(text, FIRST_LINE, strlen(FIRST_LINE)))
		return false;
	text[SMALLEST_PAGE] = '\0';
	kept = must_have(NULL, strlen(text) + 1);
	strcpy(kept, text);
	memory->vmcoreinfo = kept;
	memory->vmcoreinfo_length = strlen(kept);
	if (fits(dump))
		return true;
	free(kept);
	memory->vmcoreinfo = NULL;
	memory->vmcoreinfo_length = 0;
	return false;
}

static bool look_in_range(struct dump *dump, uint64_t start, uint64_t end)
{
	char begin[sizeof(FIRST_LINE) - 1];

	for (uint64_t pa = start; pa < end && end - pa >= SMALLEST_PAGE; pa += SMALLEST_PAGE) {
		if (dump->memory.read_physical(&dump->memory, pa, begin, sizeof(begin)) &&
		    !memcmp(begin, FIRST_LINE, sizeof(begin)) && take_page(dump, pa))
			return true;
	}
	return false;
}

void dump_finish(struct dump *dump, void (*each_range)(struct dump *dump, range_visitor visit))
{
	const char *path = dump_file_path(dump->file);

	dump->memory.read_virtual = read_virtual;
	if (!dump->memory.vmcoreinfo)
		each_range(dump, look_in_range);
	else if (!fits(dump))
		fail("%s: the kernel's tables are not where its VMCOREINFO says: the dump lacks memory, or is damaged; make it again.",
		     path);
	if (!dump->memory.vmcoreinfo)
		fail("%s: no VMCOREINFO of an arm64 kernel, neither in its notes nor in the memory that it has: make a dump of the whole memory, of a kernel with CONFIG_VMCORE_INFO.",
		     path);
}
