// SPDX-License-Identifier: GPL-2.0-only
import { cpuNamed, identitiesOf } from './cpus.ts';
import { idOverrides, shownIdRegisters, wholeIdRegisters } from './id-overrides.ts';
import type { Machine } from './types.ts';

/**
 * ID registers of QEMU's models as far as the model of the kernel asks for them, as QEMU 11.1.3
 * shows them. They serve to plan what is booted; what a boot is judged by is read from its CPUs.
 */
const emulated: Record<string, Record<string, bigint>> = {
  max: {
    ID_AA64MMFR0_EL1: 0x2100032310201126n,
    ID_AA64MMFR1_EL1: 0x0110112010312122n,
    ID_AA64MMFR2_EL1: 0x1221011112011011n,
    ID_AA64MMFR3_EL1: 0x1000000011001111n,
    ID_AA64PFR1_EL1: 0x0010101010000121n,
  },
  'cortex-a76': {
    ID_AA64MMFR0_EL1: 0x101122n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x10n,
  },
  a64fx: {
    ID_AA64MMFR0_EL1: 0x1122n,
    ID_AA64MMFR1_EL1: 0x11212100n,
    ID_AA64MMFR2_EL1: 0x1011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0n,
  },
  'cortex-a57': {
    ID_AA64MMFR0_EL1: 0x1124n,
    ID_AA64MMFR1_EL1: 0n,
    ID_AA64MMFR2_EL1: 0n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0n,
  },
  'cortex-a35': {
    ID_AA64MMFR0_EL1: 0x101122n,
    ID_AA64MMFR1_EL1: 0n,
    ID_AA64MMFR2_EL1: 0n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0n,
  },
  'cortex-a53': {
    ID_AA64MMFR0_EL1: 0x1122n,
    ID_AA64MMFR1_EL1: 0n,
    ID_AA64MMFR2_EL1: 0n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0n,
  },
  'cortex-a55': {
    ID_AA64MMFR0_EL1: 0x101122n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x10n,
  },
  'cortex-a72': {
    ID_AA64MMFR0_EL1: 0x1124n,
    ID_AA64MMFR1_EL1: 0n,
    ID_AA64MMFR2_EL1: 0n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0n,
  },
  'cortex-a710': {
    ID_AA64MMFR0_EL1: 0x22200101122n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1221011110101011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x121n,
  },
  'neoverse-v1': {
    ID_AA64MMFR0_EL1: 0x101125n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x220011102101011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x20n,
  },
  'neoverse-n1': {
    ID_AA64MMFR0_EL1: 0x101125n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x20n,
  },
  'neoverse-n2': {
    ID_AA64MMFR0_EL1: 0x22200101125n,
    ID_AA64MMFR1_EL1: 0x10212122n,
    ID_AA64MMFR2_EL1: 0x1221011112101011n,
    ID_AA64MMFR3_EL1: 0n,
    ID_AA64PFR1_EL1: 0x121n,
  },
};

/** The registers of QEMU's model behind a CPU's name. */
const emulatedBy = (qemu: string): Record<string, bigint> =>
  emulated[qemu.split(',')[0] ?? ''] ?? {};

/** Whether a CPU has FEAT_VHE (ID_AA64MMFR1_EL1.VH); not so where QEMU's model is unknown. */
export function hasVhe(name: string): boolean {
  const { ID_AA64MMFR1_EL1: features = 0n } = emulatedBy(cpuNamed(name).qemu);
  return ((features >> 8n) & 0xfn) !== 0n;
}

/** The ID registers that the kernel will read on each CPU of a machine, without a boot. */
export function expectedIdRegisters(machine: Machine): Record<string, bigint>[] {
  const own = identitiesOf(machine).map(({ qemu }) => emulatedBy(qemu));
  return wholeIdRegisters(shownIdRegisters(own, idOverrides(machine)), machine);
}
