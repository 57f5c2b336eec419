// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage 2: IPA to PA, always the same address. 4 KiB granule without LPA2. Outside RAM, devices are
 * mapped in blocks of 1 GiB. In a realm the IPA space has two halves: RAM is mapped in the lower
 * one while private, and in the upper one (the alias) while shared; devices only in the upper one.
 *
 * RAM is mapped by pages: QEMU caches a translation with the larger of the two stages' sizes, and
 * flushes its whole TLB when the guest invalidates an address within a large one. With blocks a
 * boot takes a tenth more CPU time. The tables of each block of RAM have fixed addresses, so no
 * call of the guest can run out of memory.
 */
#include "monitor.h"

#define DESCRIPTOR_VALID 1UL
#define DESCRIPTOR_TABLE 3UL
#define DESCRIPTOR_PAGE 3UL
#define DESCRIPTOR_BLOCK 1UL
#define DESCRIPTOR_ADDRESS 0x0000fffffffff000UL
#define ACCESS_FLAG (1UL << 10)
#define INNER_SHAREABLE (3UL << 8)
#define READ_WRITE (3UL << 6)
#define NORMAL_WRITE_BACK (0xfUL << 2)
#define DEVICE_NGNRE (1UL << 2)
/* With FEAT_RME: the output address is in the Non-secure physical address space. */
#define NON_SECURE (1UL << 55)
#define RAM_ATTRIBUTES (ACCESS_FLAG | INNER_SHAREABLE | READ_WRITE | NORMAL_WRITE_BACK)
#define DEVICE_ATTRIBUTES (ACCESS_FLAG | READ_WRITE | DEVICE_NGNRE)

#define ENTRIES 512
#define PAGES_PER_BLOCK (BLOCK / GRANULE)
/*
 * The range of start level 1 with sixteen concatenated tables; for a larger one, the start level is
 * 0.
 */
#define LEVEL1_START_BITS 43
#define LEVEL1_BITS 39
/* QEMU's virt machine has no devices above this. */
#define DEVICES_END (1UL << 40)

#define VTCR_RES1 (1UL << 31)
#define VTCR_WALKS_CACHED (3UL << 12 | 1UL << 10 | 1UL << 8)

struct ram {
	u64 base;
	u64 end;
	u64 first; /* granule */
};

static struct ram ram[MAX_REGIONS];
static u32 ram_count;
static u64 granule_count;
static u64 *root;
static bool starts_at_level0;
static u32 ipa_bits;
static u64 control;
static u64 next_table;
static u64 page_tables; /* two for each block of RAM: protected, alias */

static u64 memory_end(void)
{
	return parameters.root_base != 0 ? parameters.root_base : parameters.monitor_base + parameters.monitor_size;
}

static u64 allocate(u64 size, u64 alignment)
{
	u64 address = (next_table + alignment - 1) & -alignment;

	next_table = address + size;
	if (next_table > memory_end())
		panic("the monitor's memory is too small", parameters.monitor_size);
	return address;
}

static u64 *allocate_table(void)
{
	return memset((void *)allocate(GRANULE, GRANULE), 0, GRANULE);
}

static u64 alias_bit(void)
{
	return parameters.world == WORLD_REALM ? 1UL << (ipa_bits - 1) : 0;
}

/* The first address that is not a protected IPA. */
u64 protected_end(void)
{
	return parameters.world == WORLD_REALM ? alias_bit() : 1UL << ipa_bits;
}

bool range_is_protected(u64 base, u64 top)
{
	return base < top && top <= protected_end();
}

static const struct ram *ram_at(u64 address)
{
	for (u32 i = 0; i < ram_count; i++) {
		if (address >= ram[i].base && address < ram[i].end)
			return &ram[i];
	}
	return NULL;
}

/* Whether there is RAM at an address, and the address where that changes, at most `top`. */
u64 ram_run(u64 address, u64 top, bool *is_ram)
{
	const struct ram *inside = ram_at(address);
	u64 end = inside != NULL ? inside->end : top;

	*is_ram = inside != NULL;
	for (u32 i = 0; inside == NULL && i < ram_count; i++) {
		if (ram[i].base > address && ram[i].base < end)
			end = ram[i].base;
	}
	return end < top ? end : top;
}

/* The number of a granule of RAM. */
u64 granule_of(u64 address)
{
	const struct ram *inside = ram_at(address);

	return inside->first + (address - inside->base) / GRANULE;
}

static u64 *level1_entry(u64 ipa)
{
	if (!starts_at_level0)
		return &root[ipa >> 30];

	u64 *entry = &root[ipa >> 39];

	if ((*entry & DESCRIPTOR_VALID) == 0)
		*entry = (u64)allocate_table() | DESCRIPTOR_TABLE;
	return (u64 *)(*entry & DESCRIPTOR_ADDRESS) + (ipa >> 30) % ENTRIES;
}

static u64 *level2_entry(u64 ipa)
{
	u64 *entry = level1_entry(ipa);

	if ((*entry & DESCRIPTOR_VALID) == 0)
		*entry = (u64)allocate_table() | DESCRIPTOR_TABLE;
	return (u64 *)(*entry & DESCRIPTOR_ADDRESS) + (ipa >> 21) % ENTRIES;
}

/* The alias half maps memory shared with the Non-secure world, where there is one. */
static u64 shared_attributes(void)
{
	return parameters.root_base != 0 ? NON_SECURE : 0;
}

static u64 leaf(u64 address, u8 state, u64 half)
{
	bool reachable = half == 0 ? state == RIPAS_RAM : state == RIPAS_EMPTY;

	return reachable ? address | RAM_ATTRIBUTES | DESCRIPTOR_PAGE | (half == 0 ? 0 : shared_attributes()) : 0;
}

static bool uniform(const u8 *states)
{
	u64 first = states[0] * 0x0101010101010101UL;

	for (const u64 *word = (const u64 *)states; word < (const u64 *)(states + PAGES_PER_BLOCK); word++) {
		if (*word != first)
			return false;
	}
	return true;
}

/*
 * The level 2 entry for a block of RAM in one half: nothing, or its table of pages, which this
 * function fills.
 */
static u64 block_entry(u64 block, u64 half)
{
	const u8 *states = ripas_of(block);

	if (uniform(states) && leaf(block, states[0], half) == 0)
		return 0;

	u64 number = granule_of(block) / PAGES_PER_BLOCK;
	u64 *table = (u64 *)(page_tables + (2 * number + half) * GRANULE);

	for (u32 i = 0; i < ENTRIES; i++)
		table[i] = leaf(block + i * GRANULE, states[i], half);
	return (u64)table | DESCRIPTOR_TABLE;
}

static void flush(void)
{
	dsb();
	__asm__ volatile("tlbi vmalls12e1is" ::: "memory");
	dsb();
	isb();
}

static void set_blocks(u64 base, u64 top, bool mapped)
{
	for (u64 block = base & -BLOCK; block < top; block += BLOCK) {
		*level2_entry(block) = mapped ? block_entry(block, 0) : 0;
		if (alias_bit() != 0)
			*level2_entry(block | alias_bit()) = mapped ? block_entry(block, 1) : 0;
	}
}

/*
 * Removes the blocks that a range of RAM touches from both halves (break before make). If another
 * CPU needs one of their pages meanwhile, it faults, waits for the lock and tries again.
 */
void stage2_unmap(u64 base, u64 top)
{
	set_blocks(base, top, false);
	flush();
}

/* Maps them again according to their present RIPAS. */
void stage2_map(u64 base, u64 top)
{
	set_blocks(base, top, true);
	dsb();
}

static void adopt_regions(void)
{
	for (u32 i = 0; i < parameters.regions; i++) {
		const struct range *range = &parameters.region[i];

		if (range->base % BLOCK != 0 || range->size % BLOCK != 0 || range->size == 0)
			panic("a RAM region is not made of whole 2 MiB", range->base);
		if (!range_is_protected(range->base, range->base + range->size))
			panic("a RAM region lies outside the IPA space", range->base);
		ram[i] = (struct ram){range->base, range->base + range->size, granule_count};
		granule_count += range->size / GRANULE;
		report()->region[i] = *range;
	}
	ram_count = parameters.regions;
	report()->regions = ram_count;
}

static bool gib_is_for_devices(u64 gib)
{
	bool is_ram;
	u64 monitor_end = parameters.monitor_base + parameters.monitor_size;

	if (gib < monitor_end && gib + GIB > parameters.monitor_base)
		return false;
	return ram_run(gib, gib + GIB, &is_ram) == gib + GIB && !is_ram;
}

static void map_devices(void)
{
	u64 end = protected_end() < DEVICES_END ? protected_end() : DEVICES_END;

	for (u64 gib = 0; gib < end; gib += GIB) {
		if (gib_is_for_devices(gib))
			*level1_entry(gib | alias_bit()) = gib | DEVICE_ATTRIBUTES | DESCRIPTOR_BLOCK | shared_attributes();
	}
}

static u32 physical_bits(void)
{
	static const u8 bits[] = {32, 36, 40, 42, 44, 48};
	u32 range = read_sysreg(id_aa64mmfr0_el1) & 0xf;

	return range < sizeof(bits) ? bits[range] : 48;
}

static void choose_geometry(void)
{
	u32 available = physical_bits();

	ipa_bits = parameters.ipa_bits != 0 ? parameters.ipa_bits : available;
	if (ipa_bits < 33 || ipa_bits > available)
		panic("this CPU has no such IPA size", ipa_bits);
	starts_at_level0 = ipa_bits > LEVEL1_START_BITS;

	u64 tables = starts_at_level0 || ipa_bits <= LEVEL1_BITS ? 1 : 1UL << (ipa_bits - LEVEL1_BITS);
	u64 range = read_sysreg(id_aa64mmfr0_el1) & 0xf;
	u64 output = range > 5 ? 5 : range;
	u64 start = starts_at_level0 ? 2 : 1;

	next_table = (u64)monitor_start + TABLES_OFFSET;
	root = memset((void *)allocate(tables * GRANULE, tables * GRANULE), 0, tables * GRANULE);
	control = VTCR_RES1 | output << 16 | VTCR_WALKS_CACHED | start << 6 | (64 - ipa_bits);
}

static void build_tables(void)
{
	map_devices();
	page_tables = allocate(granule_count / PAGES_PER_BLOCK * 2 * GRANULE, GRANULE);
	for (u32 i = 0; i < ram_count; i++)
		set_blocks(ram[i].base, ram[i].end, true);
	report()->ipa_bits = ipa_bits;
	report()->stage2_root = (u64)root;
	report()->stage2_control = control;
}

/*
 * A realm always has a stage 2. The normal world has one if the parameters give an IPA size: it
 * keeps the guest out of the monitor's memory, and makes a boot under TCG a tenth slower.
 */
bool stage2_is_used(void)
{
	return parameters.world == WORLD_REALM || parameters.ipa_bits != 0;
}

/* Prepares the tables for a guest that has not run yet. */
void stage2_init(void)
{
	choose_geometry();
	adopt_regions();
	ripas_init((u8 *)allocate(granule_count, GRANULE));
	if (stage2_is_used())
		build_tables();
	dsb();
}

/* Installs the tables on this CPU. */
void stage2_enable(void)
{
	write_sysreg(vtcr_el2, control);
	write_sysreg(vttbr_el2, (u64)root);
	flush();
}
