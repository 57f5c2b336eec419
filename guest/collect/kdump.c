// SPDX-License-Identifier: GPL-2.0-only
/*
 * kdump-compressed dumps (makedumpfile's diskdump_mod.h and IMPLEMENTATION): a header, a sub-header,
 * two bitmaps of page frames (those of memory, those in the dump), a descriptor of each page in the
 * dump, in order, and their bytes. All numbers are little-endian on arm64.
 */
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "fail.h"
#include "kdump-pages.h"

#define SIGNATURE "KDUMP   "
#define MAX_SUB_HEADER_BLOCKS 1024
/* Frames that a bitmap can have: 2^48 bytes in pages of 4 KiB. */
#define MAX_FRAMES (UINT64_C(1) << 36)
#define MAX_VMCOREINFO (UINT64_C(1) << 20)
/* makedumpfile leaves out pages of zeroes (-d 1), as QEMU does. */
#define LEVEL_ZERO_PAGES 1

/* struct disk_dump_header; the two bytes of padding, and a time, are within `names`. */
struct header {
	char signature[8];
	int32_t version;
	/* struct new_utsname, which QEMU does not know, padding, struct timeval. */
	char names[412];
	uint32_t status;
	int32_t block_size;
	int32_t sub_header_blocks;
	uint32_t bitmap_blocks;
	uint32_t frames;
	uint32_t total_ram_blocks;
	uint32_t device_blocks;
	uint32_t written_blocks;
	uint32_t current_cpu;
	int32_t cpus;
};

_Static_assert(offsetof(struct header, status) == 424, "as struct disk_dump_header has it");

/* struct kdump_sub_header, on 64 bits. */
struct sub_header {
	uint64_t phys_base;
	int32_t dump_level;
	int32_t split;
	uint64_t start_frame;
	uint64_t end_frame;
	/* From version 3. */
	uint64_t vmcoreinfo_offset;
	uint64_t vmcoreinfo_bytes;
	/* From version 4 and 5. */
	uint64_t note_offset;
	uint64_t note_bytes;
	uint64_t erase_offset;
	uint64_t erase_bytes;
	/* From version 6, for more frames than 32 bits count. */
	uint64_t start_frame_64;
	uint64_t end_frame_64;
	uint64_t frames_64;
};

struct kdump {
	struct dump dump;
	struct kdump_pages pages;
};

static bool read_physical(struct memory *memory, uint64_t pa, void *to, size_t bytes)
{
	struct kdump *kdump = (struct kdump *)memory;
	uint64_t block = kdump->pages.block_size;
	unsigned char *at = to;

	while (bytes) {
		const unsigned char *page = kdump_page(&kdump->pages, pa / block);
		uint64_t skipped = pa % block;
		size_t count = block - skipped < bytes ? (size_t)(block - skipped) : bytes;

		if (!page)
			return false;
		memcpy(at, page + skipped, count);
		at += count;
		pa += count;
		bytes -= count;
	}
	return true;
}

static void each_range(struct dump *dump, range_visitor visit)
{
	struct kdump *kdump = (struct kdump *)dump;
	uint64_t block = kdump->pages.block_size;
	uint64_t frame = 0;

	while (kdump_next_dumped(&kdump->pages, &frame)) {
		if (visit(dump, frame * block, (frame + 1) * block))
			return;
		frame++;
	}
}

static void take_vmcoreinfo(struct kdump *kdump, const struct sub_header *sub)
{
	struct dump *dump = &kdump->dump;
	char *text;

	if (!sub->vmcoreinfo_bytes)
		return;
	if (sub->vmcoreinfo_bytes > MAX_VMCOREINFO)
		fail("%s: its VMCOREINFO is of %llu bytes, which no kernel has: make the dump again.",
		     dump_file_path(dump->file), (unsigned long long)sub->vmcoreinfo_bytes);
	text = dump_file_piece(dump->file, sub->vmcoreinfo_offset, sub->vmcoreinfo_bytes, "VMCOREINFO");
	dump->memory.vmcoreinfo = text;
	dump->memory.vmcoreinfo_length = strnlen(text, sub->vmcoreinfo_bytes);
}

static void require_sense(const char *path, const struct header *header)
{
	uint32_t block = (uint32_t)header->block_size;

	if (block < 4096 || block > MAX_BLOCK || (block & (block - 1)))
		fail("%s: pages of %u bytes, which no arm64 dump has: make the dump again.", path, block);
	if (header->sub_header_blocks < 1 || header->sub_header_blocks > MAX_SUB_HEADER_BLOCKS)
		fail("%s: a sub-header of %d blocks, which makes no sense: make the dump again.", path,
		     header->sub_header_blocks);
	if (header->version < 2)
		fail("%s: a kdump-compressed dump of version %d: make it with makedumpfile 1.4 or later.", path,
		     header->version);
}

static struct sub_header read_sub_header(struct dump_file *file, const struct header *header)
{
	struct sub_header sub;

	if (!dump_file_read(file, (uint64_t)header->block_size, &sub, sizeof(sub)))
		fail("%s: it is cut short within its headers: copy the whole of it again.",
		     dump_file_path(file));
	if (header->version < 3)
		sub.vmcoreinfo_bytes = 0;
	if (header->version < 6)
		sub.frames_64 = header->frames;
	if (sub.split)
		fail("%s: one part of a dump that makedumpfile --split made: join the parts with makedumpfile --reassemble.",
		     dump_file_path(file));
	return sub;
}

struct memory *open_kdump(const char *path)
{
	struct dump_file *file = dump_file_open(path);
	struct kdump *kdump;
	struct header header;

	if (!dump_file_read(file, 0, &header, sizeof(header)) ||
	    memcmp(header.signature, SIGNATURE, sizeof(header.signature))) {
		dump_file_close(file);
		return NULL;
	}
	require_sense(path, &header);
	struct sub_header sub = read_sub_header(file, &header);

	if (!sub.frames_64 || sub.frames_64 > MAX_FRAMES)
		fail("%s: %llu page frames, which makes no sense: make the dump again.", path,
		     (unsigned long long)sub.frames_64);
	kdump = must_have(NULL, sizeof(*kdump));
	memset(kdump, 0, sizeof(*kdump));
	kdump->dump.file = file;
	kdump->dump.memory = (struct memory){ .source = "kdump", .read_physical = read_physical };
	kdump_pages_open(&kdump->pages, file,
			 &(struct kdump_layout){
				 .block_size = (uint32_t)header.block_size,
				 .frames = sub.frames_64,
				 .bitmaps =
					 (1 + (uint64_t)header.sub_header_blocks) * (uint64_t)header.block_size,
				 .bitmap_bytes = (uint64_t)header.bitmap_blocks * (uint64_t)header.block_size,
				 .zero_pages_left_out = sub.dump_level & LEVEL_ZERO_PAGES,
			 });
	take_vmcoreinfo(kdump, &sub);
	dump_finish(&kdump->dump, each_range);
	return &kdump->dump.memory;
}
