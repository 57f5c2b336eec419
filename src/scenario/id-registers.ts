// SPDX-License-Identifier: GPL-2.0-only
/** CRm and op2 of an ID register: op0 is 3, op1 and CRn are 0, CRm is 1 to 7 (Arm ARM, D24.2). */
export interface IdRegister {
  crm: number;
  op2: number;
}

/** ID registers by name. */
export const idRegisters = {
  ID_AA64PFR0_EL1: { crm: 4, op2: 0 },
  ID_AA64PFR1_EL1: { crm: 4, op2: 1 },
  ID_AA64DFR0_EL1: { crm: 5, op2: 0 },
  ID_AA64ISAR0_EL1: { crm: 6, op2: 0 },
  ID_AA64ISAR1_EL1: { crm: 6, op2: 1 },
  ID_AA64ISAR2_EL1: { crm: 6, op2: 2 },
  ID_AA64MMFR0_EL1: { crm: 7, op2: 0 },
  ID_AA64MMFR1_EL1: { crm: 7, op2: 1 },
  ID_AA64MMFR2_EL1: { crm: 7, op2: 2 },
  ID_AA64MMFR3_EL1: { crm: 7, op2: 3 },
  ID_AA64MMFR4_EL1: { crm: 7, op2: 4 },
} as const satisfies Record<string, IdRegister>;

export type IdRegisterName = keyof typeof idRegisters;

/** Bit numbers of a field in the Arm ARM's notation, '55:52' or '7'. */
export function bitRange(bits: string): { msb: number; lsb: number } {
  const [msb = Number.NaN, lsb = msb] = bits.split(':').map(Number);
  return { msb, lsb };
}
