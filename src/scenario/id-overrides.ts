// SPDX-License-Identifier: GPL-2.0-only
import { identitiesOf } from './cpus.ts';
import { bitRange, type IdRegister, idRegisters } from './id-registers.ts';
import type { IdField, Machine } from './types.ts';

/** Some bits of an ID register that some CPUs show with another value than their own. */
export interface IdOverride {
  /** CPU numbers. */
  cpus: number[];
  register: IdRegister;
  mask: bigint;
  /** Bits outside the mask are ignored. */
  value: bigint;
}

function fieldOverride(
  { register, bits, value }: Omit<IdField, 'cpus'>,
  cpus: number[],
): IdOverride {
  const { msb, lsb } = bitRange(bits);
  const shift = BigInt(lsb);
  const mask = ((1n << BigInt(msb - lsb + 1)) - 1n) << shift;
  return { cpus, register: idRegisters[register], mask, value: BigInt(value) << shift };
}

/** ID_AA64MMFR2_EL1.BBM as 0 to 3 on the given CPUs. */
export function bbmOverride(cpus: number[], level: number): IdOverride {
  return fieldOverride({ register: 'ID_AA64MMFR2_EL1', bits: '55:52', value: level }, cpus);
}

/**
 * What the monitor changes: a BBM level that the identities of some CPUs have, and the fields that
 * the machine names; a later one wins.
 */
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
  return Object.entries(idRegisters).find(
    ([, encoding]) => encoding.crm === crm && encoding.op2 === op2,
  )?.[0];
}

/**
 * ID registers as the kernel reads them under the monitor; an unknown register stays unknown.
 * @param cpus own registers of each CPU by name
 */
export function shownIdRegisters(
  cpus: Record<string, bigint>[],
  overrides: IdOverride[],
): Record<string, bigint>[] {
  return cpus.map((registers, cpu) => {
    const shown = { ...registers };
    for (const { register, mask, value } of overrides.filter((override) =>
      override.cpus.includes(cpu),
    )) {
      const name = nameOf(register);
      if (name !== undefined && shown[name] !== undefined)
        shown[name] = (shown[name] & ~mask) | (value & mask);
    }
    return shown;
  });
}

/**
 * ID registers of each CPU that QEMU's debugger interface does not show; of ID_AA64PFR0_EL1 only
 * the field CSV3.
 */
export function hiddenRegisters(machine: Machine): Record<string, bigint>[] {
  const own = identitiesOf(machine).map(({ midr, csv3 }) => ({
    MIDR_EL1: midr,
    ID_AA64PFR0_EL1: BigInt(csv3 ?? 1) << 60n,
  }));
  return shownIdRegisters(own, idOverrides(machine));
}

/**
 * All that is known of each CPU's ID registers: what the debugger shows, and what it does not.
 * @param shown as the debugger shows them
 */
export function wholeIdRegisters(
  shown: readonly Record<string, bigint>[],
  machine: Machine,
): Record<string, bigint>[] {
  return withHidden(shown, hiddenRegisters(machine));
}

/** The registers of each CPU that the debugger shows, with those that it does not. */
export function withHidden(
  shown: readonly Record<string, bigint>[],
  hidden: readonly Record<string, bigint>[],
): Record<string, bigint>[] {
  return shown.map((registers, cpu) => ({ ...registers, ...hidden[cpu] }));
}
