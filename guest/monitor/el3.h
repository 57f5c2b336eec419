/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of EL3. Both run in flash and keep all their data in Root memory. */
#ifndef EL3_H
#define EL3_H

#include "monitor.h"

enum el3_power { POWER_OFF = 0, POWER_ON = 1 };

/* At the base of Root memory; el3.S reads the mailboxes. */
struct root {
	u64 mailbox[MAX_CPUS]; /* where a penned CPU enters Realm EL2; 0: stay */
	u64 power[MAX_CPUS];
	u64 level1_tables; /* number in use */
	u64 control;       /* GPCCR_EL3 */
	const struct parameters *parameters;
};
_Static_assert(sizeof(struct root) <= ROOT_STACKS_OFFSET, "EL3's variables end before its stacks");

/*
 * Not SMC numbers of any standard: Realm EL2 asks EL3 to move granules between physical address
 * spaces.
 */
#define EL3_SET_GRANULES 0xc7000000UL

/* Granule protection information (Arm ARM, D9.2). */
#define GPI_NONE 0x0
#define GPI_NON_SECURE 0x9
#define GPI_ROOT 0xa
#define GPI_REALM 0xb
#define GPI_ANY 0xf

void gpt_build(struct root *root);
void gpt_enable(const struct root *root);
void gpt_set(struct root *root, u64 base, u64 top, u64 information);
_Noreturn void el3_park(u64 cpu);

#endif
