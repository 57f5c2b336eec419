// SPDX-License-Identifier: GPL-2.0-only
/* Identity of each CPU: what it said itself when it booted (arch/arm64/kernel/cpuinfo.c). */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "btf.h"
#include "facts.h"
#include "symbols.h"

#define MAX_CPUS 4096
#define MAX_REGISTERS 64
#define MAX_INFO_BYTES 4096

/* A member reg_NAME of struct cpuinfo_arm64, which moves between releases. */
struct info_register {
	char name[32];
	uint32_t offset;
};

struct layout {
	struct info_register registers[MAX_REGISTERS];
	size_t count;
	size_t bytes;
};

static void take_register(void *context, const char *name, uint32_t offset)
{
	struct layout *layout = context;
	struct info_register *taken = &layout->registers[layout->count];
	size_t length = strlen(name);
	bool wanted = strncmp(name, "reg_id_aa64", 11) == 0 || strcmp(name, "reg_midr") == 0 ||
		      strcmp(name, "reg_revidr") == 0 || strcmp(name, "reg_aidr") == 0;

	if (!wanted || layout->count == MAX_REGISTERS || length > 24 || offset > MAX_INFO_BYTES - 8)
		return;
	/* reg_id_aa64mmfr0 holds ID_AA64MMFR0_EL1. */
	for (size_t i = 4; i < length; i++)
		taken->name[i - 4] = (char)toupper((unsigned char)name[i]);
	strcpy(taken->name + length - 4, "_EL1");
	taken->offset = offset;
	layout->count++;
	if (offset + 8 > layout->bytes)
		layout->bytes = offset + 8;
}

static bool has_bit(const unsigned char *mask, uint64_t bytes, size_t bit)
{
	return bit / 8 < bytes && (mask[bit / 8] >> bit % 8 & 1);
}

/* A struct cpumask; false where it cannot be read. */
static bool read_mask(const struct board *board, const char *name, unsigned char mask[MAX_CPUS / 8], uint64_t *bytes)
{
	uint64_t address;

	if (!symbol_extent(name, &address, bytes))
		return false;
	if (*bytes > MAX_CPUS / 8)
		*bytes = MAX_CPUS / 8;
	return board->memory->read_virtual(board->memory, address, mask, *bytes);
}

/* A register of a CPU as sysfs shows it (Documentation/arch/arm64/cpu-feature-registers.rst). */
static bool sysfs_register(size_t cpu, const char *name, uint64_t *value)
{
	struct buffer text = { 0 };
	char path[128];
	bool found;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%zu/regs/identification/%s", cpu, name);
	found = buffer_file(&text, path, 64) == 0 && text.length > 2;
	if (found) {
		buffer_add(&text, "", 1);
		*value = strtoull((const char *)text.bytes, NULL, 16);
	}
	free(text.bytes);
	return found;
}

/* What struct cpuinfo_arm64 of this release lacks, such as AIDR_EL1 before 6.17. */
static void print_sysfs(size_t cpu, const struct layout *layout, struct buffer *buffer)
{
	static const char *const names[][2] = {
		{ "MIDR_EL1", "midr_el1" },
		{ "REVIDR_EL1", "revidr_el1" },
		{ "AIDR_EL1", "aidr_el1" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool known = false;
		uint64_t value;

		for (size_t each = 0; each < layout->count; each++)
			known = known || strcmp(layout->registers[each].name, names[i][0]) == 0;
		if (!known && sysfs_register(cpu, names[i][1], &value))
			buffer_print(buffer, " %s=%llx", names[i][0], (unsigned long long)value);
	}
}

struct cpus {
	unsigned char possible[MAX_CPUS / 8];
	unsigned char online[MAX_CPUS / 8];
	uint64_t possible_bytes;
	uint64_t online_bytes;
	uint64_t data;
	uint64_t offsets;
	struct layout layout;
};

static bool find_cpus(const struct board *board, struct cpus *cpus)
{
	if (!read_mask(board, "__cpu_possible_mask", cpus->possible, &cpus->possible_bytes) ||
	    !read_mask(board, "__cpu_online_mask", cpus->online, &cpus->online_bytes))
		return false;
	return symbol_address("cpu_data", &cpus->data) && symbol_address("__per_cpu_offset", &cpus->offsets) &&
	       btf_members("cpuinfo_arm64", take_register, &cpus->layout) && cpus->layout.count > 0;
}

static uint64_t register_in(const unsigned char *info, uint32_t offset)
{
	uint64_t value;

	memcpy(&value, info + offset, sizeof(value));
	return value;
}

static bool never_booted(const struct layout *layout, const unsigned char *info)
{
	for (size_t i = 0; i < layout->count; i++) {
		if (strcmp(layout->registers[i].name, "MIDR_EL1") == 0)
			return register_in(info, layout->registers[i].offset) == 0;
	}
	return false;
}

static void print_cpu(const struct board *board, const struct cpus *cpus, size_t cpu, bool is_live,
		      struct buffer *buffer)
{
	struct memory *memory = board->memory;
	unsigned char info[MAX_INFO_BYTES];
	uint64_t offset;

	if (!memory->read_virtual(memory, cpus->offsets + cpu * 8, &offset, sizeof(offset)) ||
	    !memory->read_virtual(memory, cpus->data + offset, info, cpus->layout.bytes)) {
		lose("The kernel's cpu_data of CPU %zu cannot be read.", cpu);
		return;
	}
	if (never_booted(&cpus->layout, info))
		return;
	buffer_print(buffer, "%zu %s", cpu, has_bit(cpus->online, cpus->online_bytes, cpu) ? "online" : "offline");
	for (size_t i = 0; i < cpus->layout.count; i++)
		buffer_print(buffer, " %s=%llx", cpus->layout.registers[i].name,
			     (unsigned long long)register_in(info, cpus->layout.registers[i].offset));
	if (is_live)
		print_sysfs(cpu, &cpus->layout, buffer);
	buffer_print(buffer, "\n");
}

/* Without the kernel's types only sysfs is left, which has no ID register but these. */
static void print_sysfs_only(struct buffer *buffer)
{
	static const struct layout none;
	struct buffer line = { 0 };

	for (size_t cpu = 0; cpu < MAX_CPUS; cpu++) {
		line.length = 0;
		print_sysfs(cpu, &none, &line);
		if (line.length == 0)
			continue;
		buffer_print(buffer, "%zu online", cpu);
		buffer_add(buffer, line.bytes, line.length);
		buffer_print(buffer, "\n");
	}
	free(line.bytes);
}

void print_cpus(const struct board *board, bool is_live, struct buffer *buffer)
{
	static struct cpus cpus;

	if (!find_cpus(board, &cpus)) {
		lose("The ID registers of the CPUs cannot be found: the kernel lacks symbols of data (CONFIG_KALLSYMS_ALL) or types (CONFIG_DEBUG_INFO_BTF).");
		if (is_live)
			print_sysfs_only(buffer);
		return;
	}
	for (size_t cpu = 0; cpu < MAX_CPUS; cpu++) {
		if (has_bit(cpus.possible, cpus.possible_bytes, cpu))
			print_cpu(board, &cpus, cpu, is_live, buffer);
	}
}
