// SPDX-License-Identifier: GPL-2.0-only
/*
 * What EL3 does for Realm EL2: PSCI, which QEMU leaves to firmware on a machine with EL3, and
 * granule transitions.
 */
#include "el3.h"
#include "smccc.h"

/* NS and NSE: the lower exception levels are in the Realm world. */
#define SCR_REALM (1UL << 62 | 1UL << 0)
/* HCE, RW, APK, API. */
#define SCR_BASIC (1UL << 8 | 1UL << 10 | 3UL << 16)
/* EnSCXT, ATA, FGTEn, ECVEn, EnAS0, HXEn, GCSEn, EnTP2, RCWMASKEn, TCR2En, SCTLR2En, PIEn, AIEn, D128En, EnFPM, PFAREn,
 * SRMASKEn, EnIDCP128, FGTEn2: features whose registers EL2 or EL1 uses. */
#define SCR_FEATURES 0x08e4fed01e000000UL
#define CPTR_EZ_ESM (1UL << 8 | 1UL << 12)
#define ICC_SRE_ALL 0xf
#define VECTOR_LENGTH_MAX 0xf
#define SMCR_ALL (1UL << 31 | 1UL << 30 | VECTOR_LENGTH_MAX)

#define GICD_CTLR 0x08000000UL
#define GICD_CTLR_DS (1U << 6)
/*
 * PL061 of the secure world: line 0 turns the machine off, line 1 resets it (QEMU,
 * docs/system/arm/virt).
 */
#define POWER_GPIO 0x090b0000UL
#define GPIO_DIRECTION 0x400
#define PL011_DATA 0

#define EC_SHIFT 26
#define EC_SMC 0x17

#define NO_MIGRATION 2
#define AFFINITY_ON 0
#define AFFINITY_OFF 1
#define AFFINITY_PENDING 2

void el3_build(const struct parameters *p);
void el3_prepare_cpu(u64 cpu);
void el3_handle_exception(struct frame *frame);
_Noreturn void el3_handle_unexpected(u64 vector);
extern char el3_vectors[];

static struct root *root_memory(void)
{
	return (struct root *)read_sysreg(tpidr_el3);
}

static void write32(u64 address, u32 value)
{
	*(volatile u32 *)address = value;
}

/* On CPU 0, before any other CPU may leave the pen. */
void el3_build(const struct parameters *p)
{
	struct root *root = root_memory();

	memset(root, 0, sizeof(*root));
	root->parameters = p;
	gpt_build(root);
	write32(GICD_CTLR, GICD_CTLR_DS);
}

void el3_prepare_cpu(u64 cpu)
{
	struct root *root = root_memory();
	u64 features = read_sysreg(id_aa64pfr0_el1);

	root->power[cpu] = POWER_ON;
	root->mailbox[cpu] = 0;
	write_sysreg(scr_el3, SCR_REALM | SCR_BASIC | SCR_FEATURES);
	write_sysreg(cptr_el3, CPTR_EZ_ESM);
	write_sysreg(mdcr_el3, 0);
	write_sysreg(S3_6_C12_C12_5, ICC_SRE_ALL); /* ICC_SRE_EL3 */
	isb();
	if ((features >> 32 & 0xf) != 0)
		write_sysreg(S3_6_C1_C2_0, VECTOR_LENGTH_MAX); /* ZCR_EL3 */
	if ((read_sysreg(id_aa64pfr1_el1) >> 24 & 0xf) != 0)
		write_sysreg(S3_6_C1_C2_6, SMCR_ALL); /* SMCR_EL3 */
	if ((features >> 40 & 0xf) != 0)
		write_sysreg(S3_6_C10_C5_0, 0); /* MPAM3_EL3 */
	gpt_enable(root);
}

_Noreturn static void power(u32 line)
{
	write32(POWER_GPIO + GPIO_DIRECTION, 1U << line);
	write32(POWER_GPIO + (4UL << line), 1U << line);
	for (;;)
		__asm__ volatile("wfi");
}

static u64 turn_on(u64 cpu, u64 entry)
{
	struct root *root = root_memory();

	if (cpu >= root->parameters->cpus)
		return INVALID_PARAMETERS;
	if (root->power[cpu] != POWER_OFF || root->mailbox[cpu] != 0)
		return ALREADY_ON;
	root->mailbox[cpu] = entry;
	dsb();
	return SUCCESS;
}

_Noreturn static void turn_off(void)
{
	u64 cpu = this_cpu();

	root_memory()->power[cpu] = POWER_OFF;
	dsb();
	el3_park(cpu);
}

static u64 affinity_info(u64 cpu)
{
	const struct root *root = root_memory();

	if (cpu >= root->parameters->cpus)
		return INVALID_PARAMETERS;
	if (root->power[cpu] != POWER_OFF)
		return AFFINITY_ON;
	return root->mailbox[cpu] != 0 ? AFFINITY_PENDING : AFFINITY_OFF;
}

static u64 set_granules(u64 base, u64 top, u64 information)
{
	gpt_set(root_memory(), base, top, information);
	return SUCCESS;
}

static u64 answer(const u64 *x)
{
	switch (x[0]) {
	case EL3_SET_GRANULES:
		return set_granules(x[1], x[2], x[3]);
	case PSCI_VERSION:
		return PSCI_1_1;
	case PSCI_CPU_SUSPEND32:
	case PSCI_CPU_SUSPEND64:
		__asm__ volatile("wfi");
		return SUCCESS;
	case PSCI_CPU_OFF:
		turn_off();
	case PSCI_CPU_ON64:
		return turn_on(x[1], x[2]);
	case PSCI_AFFINITY_INFO32:
	case PSCI_AFFINITY_INFO64:
		return affinity_info(x[1]);
	case PSCI_MIGRATE_INFO_TYPE:
		return NO_MIGRATION;
	case PSCI_SYSTEM_OFF:
		power(0);
	case PSCI_SYSTEM_RESET:
		power(1);
	default:
		return NOT_SUPPORTED;
	}
}

void el3_handle_exception(struct frame *frame)
{
	if (read_sysreg(esr_el3) >> EC_SHIFT != EC_SMC)
		el3_handle_unexpected(8);
	frame->x[0] = answer(frame->x);
}

/* The report is Realm memory, which EL3 cannot reach: the message goes to the UART only. */
_Noreturn void el3_handle_unexpected(u64 vector)
{
	const char *text = "realm monitor: unexpected exception at EL3\r\n";
	u64 uart = root_memory()->parameters->uart;

	(void)vector;
	for (; uart != 0 && *text != '\0'; text++)
		write32(uart + PL011_DATA, (u8)*text);
	power(0);
}
