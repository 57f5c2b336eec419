import type { KernelTraits } from '../linux/traits.ts';

/** A range of CPU revisions as the kernel's MIDR_RANGE() has it: implementer, part, first and last variant/revision. */
interface MidrRange {
  name: string;
  implementer: number;
  part: number;
  /** Variant << 4 | revision, inclusive. */
  from: number;
  to: number;
}

const ARM = 0x41;
const all = (name: string, implementer: number, part: number): MidrRange => ({
  name,
  implementer,
  part,
  from: 0,
  to: 0xff,
});
const r0 = (name: string, part: number, revision: number): MidrRange => ({
  name,
  implementer: ARM,
  part,
  from: revision,
  to: 0x0f,
});

/** supports_bbml2_noabort_list in arch/arm64/kernel/cpufeature.c, 6.17 to 7.2. */
const bbml2NoabortList: MidrRange[] = [
  r0('Cortex-X4', 0xd82, 3),
  r0('Neoverse-V3', 0xd84, 2),
  r0('Neoverse-V3AE', 0xd83, 2),
  all('NVIDIA Olympus', 0x4e, 0x010),
  all('AmpereOne', 0xc0, 0xac3),
  all('AmpereOne 1A', 0xc0, 0xac4),
];

/** What supports_bbml3_list of 7.3 has beyond it. */
const bbml3Additions: MidrRange[] = [
  all('Cortex-A520AE', ARM, 0xd88),
  all('Cortex-A715', ARM, 0xd4d),
  all('Cortex-A720AE', ARM, 0xd89),
  all('Cortex-A725', ARM, 0xd87),
  all('Neoverse-N3', ARM, 0xd8e),
  all('C1-Nano', ARM, 0xd8a),
  all('C1-Pro', ARM, 0xd8b),
  { name: 'C1-Ultra', implementer: ARM, part: 0xd8c, from: 0x11, to: 0xff },
  { name: 'C1-Premium', implementer: ARM, part: 0xd90, from: 0x11, to: 0xff },
];

/** A 4-bit unsigned field of an ID register; 0 when the register does not exist. */
export function idField(registers: Record<string, bigint>, register: string, lsb: number): number {
  return Number(((registers[register] ?? 0n) >> BigInt(lsb)) & 0xfn);
}

/** is_midr_in_range(): variant and revision compare as one number (arch/arm64/include/asm/cputype.h). */
function inRange(midr: bigint, range: MidrRange): boolean {
  const implementer = Number((midr >> 24n) & 0xffn);
  const part = Number((midr >> 4n) & 0xfffn);
  const revision = Number(((midr >> 20n) & 0xfn) * 16n + (midr & 0xfn));
  return implementer === range.implementer && part === range.part && revision >= range.from && revision <= range.to;
}

/**
 * cpu_supports_bbml2_noabort() or cpu_supports_bbml3() on one CPU, arch/arm64/kernel/cpufeature.c.
 * 7.3 also believes ID_AA64MMFR2_EL1.BBM >= 3; before, the register is not looked at.
 * @returns why, as the name of the entry or field that decided; undefined when the CPU is not capable
 */
export function cpuSupportsBbml(
  { bbml }: Pick<KernelTraits, 'bbml'>,
  registers: Record<string, bigint>,
): string | undefined {
  if (bbml === 'none') return undefined;
  if (bbml === 'bbml3' && idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 3) return 'ID_AA64MMFR2_EL1.BBM >= 3';
  const list = bbml === 'bbml3' ? [...bbml2NoabortList, ...bbml3Additions] : bbml2NoabortList;
  return list.find((range) => inRange(registers.MIDR_EL1 ?? 0n, range))?.name;
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
