// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stage 1 tables that the guest's translation registers lead to, each with a copy of its
 * entries, so that a store is known by what it changes.
 */
#include <stdlib.h>
#include <string.h>

#include "recorder.h"

struct table {
	struct table *next; /* another one in the same frame */
	uint64_t pa;
	uint32_t entries;
	uint32_t id;
	uint32_t links; /* table descriptors and roots that lead here */
	int8_t level;
	uint8_t upper; /* for the upper half of addresses (TTBR1) */
	uint8_t early; /* a root from before the kernel ran at its own addresses */
	uint64_t entry[];
};

enum { FRAME_SHIFT = 12, FRAME = 1 << FRAME_SHIFT };
#define ADDRESS_MASK 0x0000fffffffff000ULL
#define MAX_STAYING 8

/* The first table of each frame of RAM. */
static struct table **by_frame;
static uint32_t tables;
static uint64_t staying[MAX_STAYING];
static unsigned int stays;
/* Of each CPU: its roots (physical, 0: none) and TCR_EL1. */
static uint64_t roots[MAX_CPUS][2];
static uint64_t tcr[MAX_CPUS];
static GByteArray *content;

bool tables_open(void)
{
	by_frame = calloc(setting.ram_size >> FRAME_SHIFT, sizeof(*by_frame));
	content = g_byte_array_sized_new(65536);
	return by_frame != NULL;
}

static struct table **frame_of(uint64_t pa)
{
	if (pa - setting.ram_base >= setting.ram_size)
		return NULL;
	return &by_frame[(pa - setting.ram_base) >> FRAME_SHIFT];
}

/* Asked for each store of the kernel, without the lock: a table that is just being linked has its
 * content read after it is here. */
bool is_table_memory(uint64_t pa)
{
	struct table **frame = frame_of(pa);

	return frame && __atomic_load_n(frame, __ATOMIC_RELAXED);
}

static struct table *find(uint64_t pa)
{
	struct table **frame = frame_of(pa);

	if (!frame)
		return NULL;
	for (struct table *table = *frame; table; table = table->next)
		if (pa - table->pa < table->entries * 8ULL)
			return table;
	return NULL;
}

static void read_entries(struct table *table)
{
	size_t bytes = table->entries * 8ULL;

	if (qemu_plugin_read_memory_hwaddr(table->pa, content, bytes) == 0 && content->len >= bytes)
		memcpy(table->entry, content->data, bytes);
}

/* Bits of address that one level resolves, by the granule of a TCR_EL1. */
static unsigned int granule_shift(uint64_t value, bool upper)
{
	unsigned int tg = upper ? value >> 30 & 3 : value >> 14 & 3;

	/* TG0: 0 4K, 1 64K, 2 16K; TG1: 2 4K, 3 64K, 1 16K (DDI 0487, TCR_EL1). */
	if (upper)
		return tg == 3 ? 16 : tg == 1 ? 14 : 12;
	return tg == 1 ? 16 : tg == 2 ? 14 : 12;
}

static bool is_table_descriptor(const struct table *table, uint64_t value)
{
	return table->level < 3 && (value & 3) == 3;
}

static void link_table(unsigned int cpu, uint64_t pa, int level, uint32_t entries, bool upper);

/* The tables of one frame other than the first are those that are smaller than a frame. */
static void enter_frames(struct table *table)
{
	uint64_t frames = (table->entries * 8ULL + FRAME - 1) >> FRAME_SHIFT;

	table->next = *frame_of(table->pa);
	for (uint64_t i = 0; i < frames; i++)
		__atomic_store_n(frame_of(table->pa) + i, table, __ATOMIC_RELEASE);
}

static void leave_frames(struct table *table)
{
	uint64_t frames = (table->entries * 8ULL + FRAME - 1) >> FRAME_SHIFT;

	for (uint64_t i = 0; i < frames; i++) {
		struct table **link = frame_of(table->pa) + i;

		while (*link && *link != table)
			link = &(*link)->next;
		if (*link)
			__atomic_store_n(link, table->next, __ATOMIC_RELEASE);
	}
}

static void link_child(unsigned int cpu, const struct table *table, uint64_t value)
{
	/* A root may have fewer entries than a page holds, its children never have. */
	unsigned int shift = granule_shift(tcr[cpu], table->upper);
	uint64_t pa = value & ADDRESS_MASK & ~((1ULL << shift) - 1);

	link_table(cpu, pa, table->level + 1, 1U << (shift - 3), table->upper);
}

static void log_table(unsigned int cpu, const struct table *table)
{
	uint32_t used = 0, last = 0;

	for (uint32_t i = 0; i < table->entries; i++)
		used += table->entry[i] != 0;
	event(EV_TABLE, cpu);
	number((table->pa - setting.ram_base) >> 3);
	number(table->level + 1);
	number(table->upper);
	number(table->entries);
	number(used);
	for (uint32_t i = 0; i < table->entries; i++) {
		if (table->entry[i] == 0)
			continue;
		number(i - last);
		number(table->entry[i]);
		last = i;
	}
}

static void link_table(unsigned int cpu, uint64_t pa, int level, uint32_t entries, bool upper)
{
	struct table *table = find(pa);

	if (table) {
		table->links++;
		return;
	}
	if (!frame_of(pa) || !frame_of(pa + entries * 8ULL - 1))
		return;
	table = calloc(1, sizeof(*table) + entries * 8ULL);
	if (!table)
		return complain("no memory for a table");
	table->pa = pa;
	table->entries = entries;
	table->level = level;
	table->upper = upper;
	table->early = !slide_known;
	table->links = 1;
	table->id = ++tables;
	enter_frames(table);
	read_entries(table);
	log_table(cpu, table);
	for (uint32_t i = 0; i < entries; i++)
		if (is_table_descriptor(table, table->entry[i]))
			link_child(cpu, table, table->entry[i]);
}

static void unlink_table(unsigned int cpu, struct table *table)
{
	if (!table || --table->links > 0)
		return;
	event(EV_UNLINK, cpu);
	number(table->id);
	leave_frames(table);
	for (uint32_t i = 0; i < table->entries; i++)
		if (is_table_descriptor(table, table->entry[i]))
			unlink_table(cpu, find(table->entry[i] & ADDRESS_MASK));
	free(table);
}

static void entry_stored(unsigned int cpu, struct site *site, struct table *table, uint32_t index,
			 uint64_t value)
{
	uint64_t old = table->entry[index];
	bool was = is_table_descriptor(table, old), is = is_table_descriptor(table, value);

	if (old == value)
		return;
	event_at(EV_STORE, cpu, site);
	change(&site->last_table, table->id);
	change(&site->last_index, index);
	change(&site->last, value);
	table->entry[index] = value;
	if (was && is && ((old ^ value) & ADDRESS_MASK) == 0)
		return;
	if (is)
		link_child(cpu, table, value);
	if (was)
		unlink_table(cpu, find(old & ADDRESS_MASK));
}

void tables_stored(unsigned int cpu, struct site *site, uint64_t pa, const uint64_t *values,
		   unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, pa += 8) {
		struct table *table = find(pa);

		if (table)
			entry_stored(cpu, site, table, (pa - table->pa) >> 3, values[i]);
	}
}

/* A root that the kernel never frees: its tables are followed though no CPU uses them. */
void root_stays(uint64_t link_address)
{
	if (stays < MAX_STAYING)
		staying[stays++] = link_address;
}

/* A table with fewer levels begins in the middle of the kernel's root (TTBR1_BADDR_4852_OFFSET). */
static bool is_staying(uint64_t pa, unsigned int shift)
{
	for (unsigned int i = 0; i < stays; i++)
		if (pa - (staying[i] - setting.image_start + setting.image_pa) < 1ULL << shift)
			return true;
	return false;
}

/*
 * User roots go from CPU to CPU; pgd_free() ends them, wherever they are: memory of the Image is
 * freed, too. Of init_idmap_pg_dir nobody says that it ends.
 */
static void leave_root(unsigned int cpu, bool upper, uint64_t pa)
{
	struct table *table = find(pa);

	for (unsigned int i = 0; i < MAX_CPUS; i++)
		if (roots[i][upper] == pa)
			return;
	if (upper || (table && table->early))
		if (!is_staying(pa, granule_shift(tcr[cpu], upper)))
			unlink_table(cpu, table);
}

void root_register(unsigned int cpu, bool upper, uint64_t value)
{
	unsigned int shift = granule_shift(tcr[cpu], upper);
	unsigned int bits = 64 - (upper ? tcr[cpu] >> 16 & 63 : tcr[cpu] & 63);
	unsigned int levels = (bits - 4) / (shift - 3);
	unsigned int top = bits - shift - (levels - 1) * (shift - 3);
	uint64_t pa = value & 0x0000ffffffffffc0ULL & ~((8ULL << top) - 1);
	uint64_t old = roots[cpu][upper];

	/* Before TCR_EL1 is set a root says nothing. One that was freed may be a root again. */
	if ((pa == old && find(pa)) || bits < 25 || bits > 52)
		return;
	roots[cpu][upper] = pa;
	if (!find(pa))
		link_table(cpu, pa, 4 - levels, 1U << top, upper);
	if (old && old != pa)
		leave_root(cpu, upper, old);
}

void control_register(unsigned int cpu, uint64_t value)
{
	tcr[cpu] = value;
}

/* pgd_free() of arch/arm64/mm/pgd.c */
void root_freed(unsigned int cpu, uint64_t pa)
{
	struct table *table = find(pa);

	if (table && table->pa == pa)
		unlink_table(cpu, table);
}
