import { identitiesOf } from './cpus.ts';
import type { IdField, Machine } from './types.ts';

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

/** On some CPUs, some bits of an ID register read otherwise than the CPU has them. */
export interface IdOverride {
  /** CPU numbers. */
  cpus: number[];
  register: IdRegister;
  mask: bigint;
  /** Bits outside the mask are ignored. */
  value: bigint;
}

/** Bit numbers of a field that is written as in the Arm ARM, '55:52' or '7'. */
export function bitRange(bits: string): { msb: number; lsb: number } {
  const [msb = Number.NaN, lsb = msb] = bits.split(':').map(Number);
  return { msb, lsb };
}

function fieldOverride({ register, bits, value }: Omit<IdField, 'cpus'>, cpus: number[]): IdOverride {
  const { msb, lsb } = bitRange(bits);
  const shift = BigInt(lsb);
  const mask = ((1n << BigInt(msb - lsb + 1)) - 1n) << shift;
  return { cpus, register: idRegisters[register], mask, value: BigInt(value) << shift };
}

/** ID_AA64MMFR2_EL1.BBM as 0 to 3 on the given CPUs. */
export function bbmOverride(cpus: number[], level: number): IdOverride {
  return fieldOverride({ register: 'ID_AA64MMFR2_EL1', bits: '55:52', value: level }, cpus);
}

/** What the monitor shows otherwise: a BBM level that the identities of some CPUs have, and the fields that the machine names; a later one wins. */
export function idOverrides(machine: Machine): IdOverride[] {
  const all = Array.from({ length: machine.cpus }, (_, cpu) => cpu);
  const levels = new Map<number, number[]>();
  for (const [cpu, { bbm }] of identitiesOf(machine).entries()) {
    if (bbm !== undefined) levels.set(bbm, [...(levels.get(bbm) ?? []), cpu]);
  }
  return [
    ...[...levels].map(([level, cpus]) => bbmOverride(cpus, level)),
    ...(machine.idFields ?? []).map((field) => fieldOverride(field, field.cpus ?? all)),
  ];
}

function nameOf({ crm, op2 }: IdRegister): string | undefined {
  return Object.entries(idRegisters).find(([, encoding]) => encoding.crm === crm && encoding.op2 === op2)?.[0];
}

/**
 * ID registers as the kernel reads them below the monitor; one that is not known stays unknown.
 * @param cpus own registers of each CPU by name
 */
export function shownIdRegisters(cpus: Record<string, bigint>[], overrides: IdOverride[]): Record<string, bigint>[] {
  return cpus.map((registers, cpu) => {
    const shown = { ...registers };
    for (const { register, mask, value } of overrides.filter((override) => override.cpus.includes(cpu))) {
      const name = nameOf(register);
      if (name !== undefined && shown[name] !== undefined) shown[name] = (shown[name] & ~mask) | (value & mask);
    }
    return shown;
  });
}

/** ID registers of each CPU that QEMU's debugger interface does not show; of ID_AA64PFR0_EL1 the field CSV3 alone. */
export function hiddenRegisters(machine: Machine): Record<string, bigint>[] {
  const own = identitiesOf(machine).map(({ midr, csv3 }) => ({
    MIDR_EL1: midr,
    ID_AA64PFR0_EL1: BigInt(csv3 ?? 1) << 60n,
  }));
  return shownIdRegisters(own, idOverrides(machine));
}
