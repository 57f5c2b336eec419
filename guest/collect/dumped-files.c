// SPDX-License-Identifier: GPL-2.0-only
#include "dumped-files.h"

#include <arpa/inet.h>
#include <string.h>

#include "fail.h"
#include "host-files.h"
#include "symbols.h"

/* COMMAND_LINE_SIZE is 2048; a boot configuration comes on top. */
#define MAX_STRING 16384
/* A string is read in pieces, so that not much is asked for beyond its end. */
#define PIECE 64
/* MAX_FDT_SIZE of arch/arm64/include/asm/boot.h. */
#define MAX_TREE_BYTES ((uint32_t)2 << 20)
#define TREE_MAGIC 0xd00dfeed

/* False where there is no end of it. */
static bool add_string(const struct board *board, uint64_t va, struct buffer *buffer)
{
	char piece[PIECE];

	for (size_t done = 0; done < MAX_STRING; done += sizeof(piece)) {
		if (!board->memory->read_virtual(board->memory, va + done, piece, sizeof(piece)))
			return false;
		size_t length = strnlen(piece, sizeof(piece));

		buffer_add(buffer, piece, length);
		if (length < sizeof(piece))
			return true;
	}
	return false;
}

static void add_command_line(const struct board *board, struct buffer *buffer)
{
	uint64_t va;

	/* What it was before the kernel parsed it (init/main.c), as /proc/cmdline shows it. */
	if (board_variable(board, "saved_command_line", &va, sizeof(va)) && add_string(board, va, buffer)) {
		buffer_add(buffer, "\n", 1);
		return;
	}
	buffer->length = 0;
	lose("The kernel's command line cannot be read from the dump: it is judged as if it were empty.");
}

static void add_version(const struct board *board, struct buffer *buffer)
{
	uint64_t va;

	if (symbol_address("linux_banner", &va) && add_string(board, va, buffer))
		return;
	buffer->length = 0;
	lose("The kernel's banner cannot be read from the dump.");
}

/* The kernel keeps it mapped where the boot loader put it (arch/arm64/mm/fixmap.c). */
static void add_tree(const struct board *board, struct buffer *buffer)
{
	struct memory *memory = board->memory;
	uint32_t header[2];
	uint64_t va;

	/* A machine with ACPI has none. */
	if (!board_variable(board, "initial_boot_params", &va, sizeof(va)) || !va)
		return;
	if (memory->read_virtual(memory, va, header, sizeof(header)) && ntohl(header[0]) == TREE_MAGIC &&
	    ntohl(header[1]) <= MAX_TREE_BYTES) {
		size_t length = ntohl(header[1]);
		void *tree = must_have(NULL, length);

		if (memory->read_virtual(memory, va, tree, length)) {
			buffer_add(buffer, tree, length);
			return;
		}
	}
	lose("The device tree cannot be read from the dump.");
}

void add_dumped_files(struct archive *archive, const struct board *board, struct buffer areas)
{
	lose("A dump has no /proc: iomem, modules and meminfo are not in the archive.");
	add_vmallocinfo(archive, areas);
	add_command_line(board, archive_member(archive, "cmdline"));
	add_version(board, archive_member(archive, "version"));
	add_tree(board, archive_member(archive, "fdt"));
}
