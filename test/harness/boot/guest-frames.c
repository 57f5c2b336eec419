// SPDX-License-Identifier: GPL-2.0-only
/*
 * Beside the recorder, for a test of it: with each store to a table, what the recorder takes it to
 * belong to, and the frame records that the guest itself keeps (AAPCS64, 6.4.6).
 */
#include <stdio.h>
#include <string.h>

#include "recorder.h"

enum { MOST_FRAMES = 64 };

int qemu_plugin_read_memory_vaddr(uint64_t addr, GByteArray *data, size_t len);
unsigned int recorded_frames(unsigned int cpu, uint64_t *pairs);

static bool is_kernel(uint64_t address)
{
	return address >> 55 & 1;
}

static unsigned int guest_frames(unsigned int cpu, uint64_t *addresses)
{
	static GByteArray *data;
	uint64_t frame = read_x(cpu, 29), record[2];
	unsigned int count = 0;

	if (!data)
		data = g_byte_array_sized_new(sizeof(record));
	addresses[count++] = read_x(cpu, 30);
	while (count < MOST_FRAMES && is_kernel(frame)) {
		if (!qemu_plugin_read_memory_vaddr(frame, data, sizeof(record)))
			break;
		memcpy(record, data->data, sizeof(record));
		if (!record[1])
			break;
		addresses[count++] = record[1];
		frame = record[0];
	}
	return count;
}

/* Counts, the instruction and how far KASLR moved it; then what they count. */
void store_seen(unsigned int cpu, uint64_t pc)
{
	static FILE *file;
	uint64_t words[4 + 3 * MOST_FRAMES];
	unsigned int recorded, found;

	if (!is_kernel(pc))
		return;
	if (!file)
		file = fopen(FRAMES_FILE, "w");
	recorded = recorded_frames(cpu, words + 4);
	found = guest_frames(cpu, words + 4 + 2 * recorded);
	words[0] = recorded;
	words[1] = found;
	words[2] = pc;
	words[3] = slide;
	fwrite(words, sizeof(*words), 4 + 2 * recorded + found, file);
	fflush(file);
}
