// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>

#include "facts.h"
#include "symbols.h"

/* maximumBitmapBytes of src/linux/variables.ts. */
#define MAX_BITMAP 64

/* capturedVariables of src/linux/variables.ts, where each is explained; 0: a bitmap. */
static const struct variable {
	const char *name;
	size_t bytes;
} variables[] = {
	{ "memstart_addr", 8 },
	{ "kimage_voffset", 8 },
	{ "vabits_actual", 8 },
	{ "rodata_enabled", 1 },
	{ "rodata_full", 1 },
	{ "kfence_early_init", 1 },
	{ "__kfence_pool", 8 },
	{ "kfence_sample_interval", 8 },
	{ "linear_map_requires_bbml2", 1 },
	{ "linear_map_requires_bbml3", 1 },
	{ "arm64_use_ng_mappings", 1 },
	{ "system_cpucaps", 0 },
	{ "__cpu_online_mask", 0 },
	{ "_debug_pagealloc_enabled_early", 1 },
	{ "crashk_res", 16 },
	{ "secretmem_enable", 1 },
	{ "rsi_present", 4 },
	{ "prot_ns_shared", 8 },
};

void print_variables(const struct board *board, struct buffer *buffer)
{
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const struct variable *variable = &variables[i];
		unsigned char bytes[MAX_BITMAP];
		uint64_t address, size;

		if (!symbol_extent(variable->name, &address, &size) || board_is_freed(address))
			continue;
		if (variable->bytes)
			size = variable->bytes;
		else if (size > MAX_BITMAP)
			size = MAX_BITMAP;
		if (!board->memory->read_virtual(board->memory, address, bytes, size)) {
			lose("The kernel's variable %s cannot be read.", variable->name);
			continue;
		}
		buffer_print(buffer, "%s ", variable->name);
		for (uint64_t each = 0; each < size; each++)
			buffer_print(buffer, "%02x", bytes[each]);
		buffer_print(buffer, "\n");
	}
}

/* arch/arm64/kernel/cpufeature.c: struct arm64_ftr_override, val and mask. */
void print_overrides(const struct board *board, struct buffer *buffer)
{
	static const char *const registers[] = {
		"mmfr0", "mmfr1", "mmfr2", "mmfr3", "mmfr4", "pfr0", "pfr1", "pfr2", "zfr0", "smfr0", "isar0", "isar1",
		"isar2", "isar3", "dfr0", "dfr1",
	};

	for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
		char name[64], shown[16];
		uint64_t pair[2];

		snprintf(name, sizeof(name), "id_aa64%s_override", registers[i]);
		if (!board_variable(board, name, pair, sizeof(pair)) || (pair[0] == 0 && pair[1] == 0))
			continue;
		for (size_t at = 0; at < sizeof(shown); at++) {
			char letter = registers[i][at];

			shown[at] = letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
			if (!letter)
				break;
		}
		buffer_print(buffer, "ID_AA64%s_EL1 %llx %llx\n", shown, (unsigned long long)pair[0],
			     (unsigned long long)pair[1]);
	}
}
