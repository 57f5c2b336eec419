// SPDX-License-Identifier: GPL-2.0-only
/*
 * The granule protection table (Arm ARM, D9.3), for 40 bits of physical address: level 0 has an
 * entry for each GiB, level 1 four bits for each granule. Addresses without RAM are open to all
 * worlds: QEMU's devices themselves are Non-secure or Secure. The first functions run at Realm EL2,
 * the others at EL3.
 */
#include "el3.h"

#define LEVEL0_ENTRIES 1024
#define LEVEL0_BLOCK 1UL
#define LEVEL0_TABLE 3UL
#define TABLE_ADDRESS 0x000ffffffffff000UL
#define LEVEL1_SIZE 0x20000UL
#define GRANULES_PER_WORD 16

#define GPCCR_PPS_40 2UL
#define GPCCR_CACHED (3UL << 12 | 1UL << 10 | 1UL << 8)
#define GPCCR_GPC (1UL << 16)

static void ask_el3(u64 base, u64 top, u64 information)
{
	if (parameters.root_base != 0)
		forward_smc(EL3_SET_GRANULES, base, top, information);
}

void gpt_make_realm(u64 base, u64 top)
{
	ask_el3(base, top, GPI_REALM);
}

void gpt_make_non_secure(u64 base, u64 top)
{
	ask_el3(base, top, GPI_NON_SECURE);
}

static u64 *level1(struct root *root, u64 address)
{
	u64 *entry = (u64 *)((u64)root + ROOT_LEVEL0_OFFSET) + address / GIB;

	if ((*entry & LEVEL0_TABLE) != LEVEL0_TABLE) {
		u64 table = (u64)root + ROOT_LEVEL1_OFFSET + root->level1_tables++ * LEVEL1_SIZE;

		memset((void *)table, 0, LEVEL1_SIZE);
		*entry = table | LEVEL0_TABLE;
	}
	return (u64 *)(*entry & TABLE_ADDRESS);
}

static void flush(void)
{
	dsb();
	__asm__ volatile("sys #6, c8, c1, #4" ::: "memory"); /* TLBI PAALLOS */
	dsb();
	isb();
}

/* Assigns the granules of a range to one physical address space. */
void gpt_set(struct root *root, u64 base, u64 top, u64 information)
{
	for (u64 at = base; at < top; at += GRANULE) {
		u64 granule = at % GIB / GRANULE;
		u64 *word = &level1(root, at)[granule / GRANULES_PER_WORD];
		u64 shift = granule % GRANULES_PER_WORD * 4;

		*word = (*word & ~(0xfUL << shift)) | information << shift;
	}
	flush();
}

void gpt_build(struct root *root)
{
	const struct parameters *p = root->parameters;
	u64 *level0 = (u64 *)((u64)root + ROOT_LEVEL0_OFFSET);

	for (u32 i = 0; i < LEVEL0_ENTRIES; i++)
		level0[i] = GPI_ANY << 4 | LEVEL0_BLOCK;
	for (u32 i = 0; i < p->regions; i++)
		gpt_set(root, p->region[i].base, p->region[i].base + p->region[i].size, GPI_REALM);
	gpt_set(root, p->monitor_base, p->root_base, GPI_REALM);
	gpt_set(root, p->root_base, p->monitor_base + p->monitor_size, GPI_ROOT);
	root->control = GPCCR_PPS_40 | GPCCR_CACHED | GPCCR_GPC;
}

/* Turns on the granule protection check of this CPU. */
void gpt_enable(const struct root *root)
{
	write_sysreg(S3_6_C2_C1_4, ((u64)root + ROOT_LEVEL0_OFFSET) >> 12); /* GPTBR_EL3 */
	isb();
	write_sysreg(S3_6_C2_C1_6, root->control); /* GPCCR_EL3 */
	isb();
	flush();
}
