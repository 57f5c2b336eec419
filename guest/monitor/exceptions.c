// SPDX-License-Identifier: GPL-2.0-only
/* The meaning of the guest's synchronous exceptions to EL2, and how they are handled. */
#include "monitor.h"
#include "smccc.h"

#define EC_SHIFT 26
#define EC_HVC 0x16
#define EC_SMC 0x17
#define EC_SYSTEM_REGISTER 0x18
#define EC_INSTRUCTION_ABORT 0x20
#define EC_DATA_ABORT 0x24

#define ESR_S1PTW (1UL << 7)
#define FSC_MASK 0x3fUL
#define FSC_GRANULE_WALK 0x23
#define FSC_GRANULE 0x28

static void skip_instruction(void)
{
	write_sysreg(elr_el2, read_sysreg(elr_el2) + 4);
}

static void handle_smc(struct frame *frame)
{
	struct frame before = *frame;

	lock();
	skip_instruction();
	if (!rsi_call(frame) && !psci_call(frame)) {
		report()->unknown_calls++;
		frame->x[0] = NOT_SUPPORTED;
	}
	record_call(&before, frame);
	unlock();
}

static void refuse_instruction(void)
{
	lock();
	report()->undefined++;
	unlock();
	inject_undefined();
}

/*
 * A realm has no hypervisor to call. The exception is reported for the HVC instruction itself;
 * ELR_EL2 already points after it.
 */
static void handle_hvc(void)
{
	write_sysreg(elr_el2, read_sysreg(elr_el2) - 4);
	refuse_instruction();
}

/*
 * ISS of a trapped MRS or MSR: Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1,
 * direction 0.
 */
static void handle_system_register(struct frame *frame, u64 esr)
{
	u32 op0 = esr >> 20 & 3, op2 = esr >> 17 & 7, op1 = esr >> 14 & 7, crn = esr >> 10 & 15, crm = esr >> 1 & 15;
	u32 encoding = op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
	u32 target = esr >> 5 & 31;
	u64 value;

	if ((esr & 1) == 0 || !identity_read(encoding, this_cpu(), &value)) {
		refuse_instruction();
		return;
	}
	if (target < 31)
		frame->x[target] = value;
	lock();
	report()->id_reads++;
	unlock();
	skip_instruction();
}

static bool is_granule_fault(u64 esr)
{
	u64 status = esr & FSC_MASK;

	return status >= FSC_GRANULE_WALK && status <= FSC_GRANULE;
}

/* The IPA of a guest address, through its stage 1 only. */
static u64 translate(u64 address)
{
	u64 saved = read_sysreg(par_el1), result;

	__asm__ volatile("at s1e1r, %0" ::"r"(address) : "memory");
	isb();
	result = read_sysreg(par_el1);
	write_sysreg(par_el1, saved);
	return (result & 1) == 0 ? (result & 0x000ffffffffff000UL) | (address & (GRANULE - 1)) : 0;
}

/*
 * HPFAR_EL2 has the IPA of a stage 2 fault, but not of an access that failed its granule protection
 * check.
 */
static u64 faulting_ipa(u64 esr, u64 far)
{
	if (is_granule_fault(esr) && (esr & ESR_S1PTW) == 0)
		return translate(far);
	return (read_sysreg(hpfar_el2) & 0xfffffffffff0) << 8 | (far & (GRANULE - 1));
}

static void handle_abort(struct frame *frame, u64 esr)
{
	u64 far = read_sysreg(far_el2);
	struct abort_record record = {
		.ipa = faulting_ipa(esr, far),
		.far = far,
		.elr = read_sysreg(elr_el2),
		.spsr = read_sysreg(spsr_el2),
		.esr = (u32)esr,
		.cpu = (uint16_t)this_cpu(),
		.link = frame->x[30],
	};
	bool allowed;

	lock();
	allowed = access_allowed(record.ipa, &record.kind, &record.ripas);
	if (is_granule_fault(esr)) {
		record.kind = ABORT_GRANULE_PROTECTION;
		allowed = false;
	}
	if (!allowed)
		record_abort(&record);
	unlock();
	if (!allowed)
		inject_external_abort(esr);
}

void handle_guest_exception(struct frame *frame)
{
	u64 esr = read_sysreg(esr_el2);

	switch (esr >> EC_SHIFT & 0x3f) {
	case EC_HVC:
		handle_hvc();
		break;
	case EC_SMC:
		handle_smc(frame);
		break;
	case EC_SYSTEM_REGISTER:
		handle_system_register(frame, esr);
		break;
	case EC_INSTRUCTION_ABORT:
	case EC_DATA_ABORT:
		handle_abort(frame, esr);
		break;
	default:
		refuse_instruction();
	}
}

/* An exception of the monitor itself, or an unexpected interrupt. */
_Noreturn void handle_unexpected(u64 vector)
{
	(void)vector;
	panic("exception in the monitor, ESR_EL2 ELR_EL2", read_sysreg(esr_el2) << 32 | (read_sysreg(elr_el2) & 0xffffffff));
}
