// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions that the monitor raises in the guest, in the way the CPU itself would take them to EL1
 * (Arm ARM, D1.3).
 */
#include "monitor.h"

#define EC_SHIFT 26
#define EC_UNKNOWN 0x00UL
#define EC_INSTRUCTION_LOWER 0x20UL
#define EC_INSTRUCTION_SAME 0x21UL
#define EC_DATA_LOWER 0x24UL
#define EC_DATA_SAME 0x25UL
#define ESR_IL (1UL << 25)
#define ESR_S1PTW (1UL << 7)
#define ESR_WNR (1UL << 6)
#define ESR_CM (1UL << 8)
#define FSC_EXTERNAL_ABORT 0x10
/* During a walk; stage 2 does not report at which level of stage 1. */
#define FSC_EXTERNAL_ABORT_ON_WALK 0x17

#define SPSR_AARCH32 (1UL << 4)
#define SPSR_EL_MASK 0xcUL
#define SPSR_EL1 4UL
#define SPSR_SP_ELX 1UL
#define SPSR_EL1H_MASKED 0x3c5UL
#define SPSR_NZCV 0xf0000000UL
#define SPSR_SSBS (1UL << 12)
#define SPSR_ALLINT (1UL << 13)
#define SPSR_PAN (1UL << 22)
#define SPSR_DIT (1UL << 24)
#define SPSR_TCO (1UL << 25)
#define SCTLR_SPAN (1UL << 23)
#define SCTLR_DSSBS (1UL << 44)
#define SCTLR_SPINTMASK (1UL << 62)

static bool from_el0(u64 spsr)
{
	return (spsr & SPSR_EL_MASK) == 0;
}

static u64 vector_offset(u64 spsr)
{
	if (from_el0(spsr))
		return spsr & SPSR_AARCH32 ? 0x600 : 0x400;
	return spsr & SPSR_SP_ELX ? 0x200 : 0;
}

static u64 entered_state(u64 spsr)
{
	u64 control = read_sysreg(sctlr_el1);
	u64 features = read_sysreg(id_aa64pfr1_el1);
	u64 state = SPSR_EL1H_MASKED | (spsr & (SPSR_NZCV | SPSR_PAN | SPSR_DIT));

	if ((read_sysreg(id_aa64mmfr1_el1) >> 20 & 0xf) != 0 && (control & SCTLR_SPAN) == 0)
		state |= SPSR_PAN;
	if ((features >> 4 & 0xf) != 0 && (control & SCTLR_DSSBS) != 0)
		state |= SPSR_SSBS;
	if ((features >> 8 & 0xf) >= 2)
		state |= SPSR_TCO;
	if ((features >> 36 & 0xf) != 0 && (control & SCTLR_SPINTMASK) == 0)
		state |= SPSR_ALLINT;
	return state;
}

static void inject(u64 esr)
{
	u64 spsr = read_sysreg(spsr_el2);

	write_sysreg(esr_el1, esr);
	write_sysreg(elr_el1, read_sysreg(elr_el2));
	write_sysreg(spsr_el1, spsr);
	write_sysreg(elr_el2, read_sysreg(vbar_el1) + vector_offset(spsr));
	write_sysreg(spsr_el2, entered_state(spsr));
}

/* A synchronous external abort, for the access that faulted with `esr`. */
void inject_external_abort(u64 esr)
{
	bool instruction = esr >> EC_SHIFT == EC_INSTRUCTION_LOWER;
	u64 class = instruction ? EC_INSTRUCTION_LOWER : EC_DATA_LOWER;
	u64 syndrome = esr & ESR_S1PTW ? FSC_EXTERNAL_ABORT_ON_WALK : FSC_EXTERNAL_ABORT;

	if (!from_el0(read_sysreg(spsr_el2)))
		class = instruction ? EC_INSTRUCTION_SAME : EC_DATA_SAME;
	if (!instruction)
		syndrome |= esr & (ESR_WNR | ESR_CM);
	write_sysreg(far_el1, read_sysreg(far_el2));
	inject(class << EC_SHIFT | ESR_IL | syndrome);
}

/* An instruction that this guest does not have. */
void inject_undefined(void)
{
	inject(EC_UNKNOWN << EC_SHIFT | ESR_IL);
}
