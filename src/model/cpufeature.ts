// SPDX-License-Identifier: GPL-2.0-only
import type { MidrRange } from '../linux/cpu-capabilities.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';

/** An entry of the kernel's allow list, with the part's name. */
interface AllowedPart extends MidrRange {
  name: string;
}

const ARM = 0x41;
const MIDR_CPU_MODEL_MASK = 0xff0ffff0n;
const MIDR_REVISION_MASK = 0x00f0000fn;

/**
 * MIDR_CPU_MODEL() of arch/arm64/include/asm/cputype.h: parts whose ID registers tell their
 * architecture.
 */
const model = (implementer: number, part: number): number =>
  ((implementer << 24) | (0xf << 16) | (part << 4)) >>> 0;
/** MIDR_ALL_VERSIONS(). */
const all = (name: string, implementer: number, part: number): AllowedPart => ({
  name,
  model: model(implementer, part),
  from: 0,
  to: 0xf0000f,
});
/** MIDR_REV_RANGE() of variant 0, from a revision on. */
const r0 = (name: string, part: number, revision: number): AllowedPart => ({
  name,
  model: model(ARM, part),
  from: revision,
  to: 0x0f,
});
/** MIDR_RANGE() from variant 1, revision 1 on. */
const fromR1p1 = (name: string, part: number): AllowedPart => ({
  name,
  model: model(ARM, part),
  from: 0x100001,
  to: 0xf0000f,
});

/**
 * supports_bbml2_noabort_list in arch/arm64/kernel/cpufeature.c, 6.18 to 7.2; 6.17 has the first
 * two, which only late CPUs meet.
 */
const bbml2NoabortList: AllowedPart[] = [
  r0('Cortex-X4', 0xd82, 3),
  r0('Neoverse-V3', 0xd84, 2),
  r0('Neoverse-V3AE', 0xd83, 2),
  all('NVIDIA Olympus', 0x4e, 0x010),
  all('AmpereOne', 0xc0, 0xac3),
  all('AmpereOne 1A', 0xc0, 0xac4),
];

/** What supports_bbml3_list of 7.3 has beyond it. */
const bbml3Additions: AllowedPart[] = [
  all('Cortex-A520AE', ARM, 0xd88),
  all('Cortex-A715', ARM, 0xd4d),
  all('Cortex-A720AE', ARM, 0xd89),
  all('Cortex-A725', ARM, 0xd87),
  all('Neoverse-N3', ARM, 0xd8e),
  all('C1-Nano', ARM, 0xd8a),
  all('C1-Pro', ARM, 0xd8b),
  fromR1p1('C1-Ultra', 0xd8c),
  fromR1p1('C1-Premium', 0xd90),
];

/** The kernel's allow list as the model knows it, entry by entry in the kernel's order. */
export function bbmlAllowList(bbml: 'bbml2' | 'bbml3'): readonly AllowedPart[] {
  return bbml === 'bbml3' ? [...bbml2NoabortList, ...bbml3Additions] : bbml2NoabortList;
}

/** A 4-bit unsigned field of an ID register; 0 when the register does not exist. */
export function idField(registers: Record<string, bigint>, register: string, lsb: number): number {
  return Number(((registers[register] ?? 0n) >> BigInt(lsb)) & 0xfn);
}

/**
 * midr_is_cpu_model_range(): variant and revision compare as one number
 * (arch/arm64/include/asm/cputype.h).
 */
export function isMidrInRange(midr: bigint, range: MidrRange): boolean {
  const revision = Number(midr & MIDR_REVISION_MASK);
  return (
    Number(midr & MIDR_CPU_MODEL_MASK) === range.model &&
    revision >= range.from &&
    revision <= range.to
  );
}

/** Whether the kernel believes a CPU for its ID register, which it looks at since 7.3. */
export function hasBbmLevel3(
  { bbml }: Pick<KernelTraits, 'bbml'>,
  registers: Record<string, bigint>,
): boolean {
  return bbml === 'bbml3' && idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 3;
}

/**
 * cpu_supports_bbml2_noabort() or cpu_supports_bbml3() on one CPU, arch/arm64/kernel/cpufeature.c.
 * 7.3 also believes ID_AA64MMFR2_EL1.BBM >= 3; before, the register is not looked at.
 * @returns why, as the name of the entry or field that decided; undefined when the CPU is not
 * capable
 */
export function cpuSupportsBbml(
  { bbml }: Pick<KernelTraits, 'bbml'>,
  registers: Record<string, bigint>,
): string | undefined {
  if (bbml === 'none') return undefined;
  if (hasBbmLevel3({ bbml }, registers)) return 'ID_AA64MMFR2_EL1.BBM >= 3';
  return bbmlAllowList(bbml).find((range) => isMidrInRange(registers.MIDR_EL1 ?? 0n, range))?.name;
}

/** cpu_has_lpa2() and, with 64K pages, cpu_has_lva(): arch/arm64/include/asm/cpufeature.h. */
export function cpuHasLargeVa(traits: KernelTraits, registers: Record<string, bigint>): boolean {
  switch (traits.geometry.granule) {
    case 4096:
      // TGRAN4 is signed: 0xf means that the granule is missing.
      return [1, 2, 3, 4, 5, 6, 7].includes(idField(registers, 'ID_AA64MMFR0_EL1', 28));
    case 16384:
      return idField(registers, 'ID_AA64MMFR0_EL1', 20) >= 2;
    case 65536:
      return idField(registers, 'ID_AA64MMFR2_EL1', 16) >= 1;
  }
}
