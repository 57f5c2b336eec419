// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prepares a CPU to run a guest that can use all of the CPU's features: EL2 traps only what the
 * monitor handles (Arm ARM, D24.2, the registers named *_EL2).
 */
#include "monitor.h"

#define HCR_VM (1UL << 0)
#define HCR_SWIO (1UL << 1)
#define HCR_TID3 (1UL << 18)
#define HCR_TSC (1UL << 19)
#define HCR_RW (1UL << 31)
#define HCR_APK (1UL << 40)
#define HCR_API (1UL << 41)
#define HCR_GPF (1UL << 48)
#define HCR_ENSCXT (1UL << 53)
#define HCR_ATA (1UL << 56)

/* Without FEAT_VHE's E2H: no trap of SVE, SME, FP; the other bits are RES1. */
#define CPTR_NO_TRAPS 0x22ff
#define CNTHCTL_EL1_ACCESS 3
#define VECTOR_LENGTH_MAX 0xf
#define SMCR_FA64 (1UL << 31)
#define SMCR_EZT0 (1UL << 30)
#define ICC_SRE_ALL 0xf
#define MDCR_E2PB_EL1 (3UL << 12)
#define MDCR_E2TB_EL1 (3UL << 24)
#define MPAM2_ENMPAMSM (1UL << 50)

/* EnAS0, EnALS, EnASR, MSCEn, TCR2En, SCTLR2En, D128En, EnSNERR, EnIDCP128, GCSEn, EnFPM. */
#define HCRX_ENABLES 0x00eec807UL
/* The fine-grained traps that a 0 enables; a 0 in every other bit means no trap. */
#define HFGxTR_ENABLES 0xfff4000000000000UL
#define HFGITR_ENABLES 0x0f80000000000000UL
#define HDFGRTR_ENABLES 0x7800000000000000UL
#define HDFGWTR_ENABLES 0x7000000000000000UL
#define FGT2_ENABLES 0x1ffffffUL
#define HFGITR2_ENABLES 2UL

static u32 field(u64 id, u32 shift)
{
	return id >> shift & 0xf;
}

u32 this_cpu(void)
{
	return read_sysreg(mpidr_el1) & 0xff;
}

static void open_fine_grained_traps(void)
{
	u32 level = field(read_sysreg(id_aa64mmfr0_el1), 56);

	if (level >= 1) {
		write_sysreg(S3_4_C1_C1_4, HFGxTR_ENABLES);
		write_sysreg(S3_4_C1_C1_5, HFGxTR_ENABLES);
		write_sysreg(S3_4_C1_C1_6, HFGITR_ENABLES);
		write_sysreg(S3_4_C3_C1_4, HDFGRTR_ENABLES);
		write_sysreg(S3_4_C3_C1_5, HDFGWTR_ENABLES);
		if (field(read_sysreg(id_aa64pfr0_el1), 44) != 0)
			write_sysreg(S3_4_C3_C1_6, 0);
	}
	if (level >= 2) {
		write_sysreg(S3_4_C3_C1_0, FGT2_ENABLES);
		write_sysreg(S3_4_C3_C1_1, FGT2_ENABLES);
		write_sysreg(S3_4_C3_C1_2, FGT2_ENABLES);
		write_sysreg(S3_4_C3_C1_3, FGT2_ENABLES);
		write_sysreg(S3_4_C3_C1_7, HFGITR2_ENABLES);
	}
	if (field(read_sysreg(id_aa64mmfr1_el1), 40) != 0)
		write_sysreg(S3_4_C1_C2_2, HCRX_ENABLES);
}

static void open_debug(void)
{
	u64 features = read_sysreg(id_aa64dfr0_el1);
	u32 pmu = field(features, 8);
	u64 control = 0;

	if (pmu != 0 && pmu != 0xf)
		control |= read_sysreg(pmcr_el0) >> 11 & 0x1f;
	if (field(features, 32) != 0)
		control |= MDCR_E2PB_EL1;
	if (field(features, 44) != 0)
		control |= MDCR_E2TB_EL1;
	write_sysreg(mdcr_el2, control);
}

static void open_vectors(void)
{
	u64 features0 = read_sysreg(id_aa64pfr0_el1), features1 = read_sysreg(id_aa64pfr1_el1);

	write_sysreg(cptr_el2, CPTR_NO_TRAPS);
	isb();
	if (field(features0, 32) != 0)
		write_sysreg(S3_4_C1_C2_0, VECTOR_LENGTH_MAX);
	if (field(features1, 24) != 0) {
		u64 sme = read_sysreg(S3_0_C0_C4_5);
		u64 control = VECTOR_LENGTH_MAX;

		control |= sme >> 63 ? SMCR_FA64 : 0;
		control |= field(sme, 56) != 0 ? SMCR_EZT0 : 0;
		write_sysreg(S3_4_C1_C2_6, control);
	}
	if (field(features0, 40) != 0 || field(features1, 16) != 0)
		write_sysreg(S3_4_C10_C5_0, MPAM2_ENMPAMSM);
}

static void open_timers_and_interrupts(void)
{
	write_sysreg(cnthctl_el2, CNTHCTL_EL1_ACCESS);
	write_sysreg(cntvoff_el2, 0);
	if (field(read_sysreg(id_aa64pfr0_el1), 24) != 0) {
		write_sysreg(S3_4_C12_C9_5, ICC_SRE_ALL);
		isb();
		write_sysreg(S3_4_C12_C11_0, 0);
	}
}

/* Sets EL2 up for the guest on this CPU; the tables already exist. */
void prepare_cpu(u32 cpu)
{
	u64 hcr = HCR_RW | HCR_SWIO | HCR_TSC | HCR_APK | HCR_API | HCR_ENSCXT | HCR_ATA;

	hcr |= stage2_is_used() ? HCR_VM : 0;
	hcr |= identity_is_altered(cpu) ? HCR_TID3 : 0;
	hcr |= parameters.root_base != 0 ? HCR_GPF : 0;
	write_sysreg(hcr_el2, hcr);
	write_sysreg(hstr_el2, 0);
	write_sysreg(vmpidr_el2, read_sysreg(mpidr_el1));
	identity_apply(cpu);
	open_fine_grained_traps();
	open_debug();
	open_vectors();
	open_timers_and_interrupts();
	stage2_enable();
	isb();
}
