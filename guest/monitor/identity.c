// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU's identity: MIDR_EL1 through VPIDR_EL2, and the ID registers with op0 3, op1 0, CRn 0, CRm
 * 1 to 7, which HCR_EL2.TID3 traps. Their values are the CPU's own except for the fields that the
 * parameters override.
 */
#include "monitor.h"

#define FIRST_CRM 1
#define LAST_CRM 7
/* op0 3, op1 0, CRn 0. */
#define ID_SPACE 0xc000

void identity_apply(u32 cpu)
{
	u64 midr = parameters.midr[cpu];

	write_sysreg(vpidr_el2, midr != 0 ? midr : read_sysreg(midr_el1));
}

/*
 * Whether the CPU's ID registers must be trapped. If not, they are left alone: a kernel without
 * hardware access flags reads one at every page fault.
 */
bool identity_is_altered(u32 cpu)
{
	for (u32 i = 0; i < parameters.overrides; i++) {
		if ((parameters.override[i].cpus >> cpu & 1) != 0)
			return true;
	}
	return false;
}

#define ID_CASE(crm, op2)  \
	case 8 * crm + op2: \
		return read_sysreg(S3_0_C0_C##crm##_##op2);
#define ID_CASES(crm)                                                                        \
	ID_CASE(crm, 0) ID_CASE(crm, 1) ID_CASE(crm, 2) ID_CASE(crm, 3) ID_CASE(crm, 4) ID_CASE(crm, 5) \
	ID_CASE(crm, 6) ID_CASE(crm, 7)

static u64 own_value(u32 number)
{
	switch (number) {
		ID_CASES(1)
		ID_CASES(2)
		ID_CASES(3)
		ID_CASES(4)
		ID_CASES(5)
		ID_CASES(6)
		ID_CASES(7)
	}
	return 0;
}

/*
 * The value of an ID register on this CPU. Returns whether the encoding is one of an ID register.
 */
bool identity_read(u32 encoding, u32 cpu, u64 *value)
{
	u32 number = encoding - ID_SPACE;

	if (number < 8 * FIRST_CRM || number > 8 * LAST_CRM + 7)
		return false;
	*value = own_value(number);
	for (u32 i = 0; i < parameters.overrides; i++) {
		const struct override *o = &parameters.override[i];

		if (o->encoding == encoding && (o->cpus >> cpu & 1) != 0)
			*value = (*value & ~o->mask) | (o->value & o->mask);
	}
	return true;
}
