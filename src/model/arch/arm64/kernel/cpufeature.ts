// SPDX-License-Identifier: GPL-2.0-only
import { lastBoolean } from '../../../../linux/cmdline.ts';
import {
  type CpuCapability,
  cpucapType,
  type MidrRange,
} from '../../../../linux/cpu-capabilities.ts';
import type { KernelTraits } from '../../../../linux/kernel-traits.ts';
import { first } from '../../../../present.ts';
import type { IdRegisters, Kernel } from '../../../boot-state.ts';
import { cpu_mitigations_off } from '../../../kernel/cpu.ts';

const CPUFEATURE = 'arch/arm64/kernel/cpufeature.c';

/** An entry of the kernel's allow list, with the part's name. */
interface AllowedPart extends MidrRange {
  name: string;
}

const ARM = 0x41;
const MIDR_CPU_MODEL_MASK = 0xff0ffff0n;
const MIDR_REVISION_MASK = 0x00f0000fn;

/**
 * MIDR_CPU_MODEL() of arch/arm64/include/asm/cputype.h: a part whose architecture field says that
 * the ID registers describe it.
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
 * supports_bbml2_noabort_list in arch/arm64/kernel/cpufeature.c, 6.18 to 7.2. 6.17 has only the
 * first two entries, and they matter for late CPUs only.
 */
const bbml2NoabortList: AllowedPart[] = [
  r0('Cortex-X4', 0xd82, 3),
  r0('Neoverse-V3', 0xd84, 2),
  r0('Neoverse-V3AE', 0xd83, 2),
  all('NVIDIA Olympus', 0x4e, 0x010),
  all('AmpereOne', 0xc0, 0xac3),
  all('AmpereOne 1A', 0xc0, 0xac4),
];

/** Additional entries of 7.3's supports_bbml3_list. */
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
export function idField(registers: IdRegisters, register: string, lsb: number): number {
  return Number(((registers[register] ?? 0n) >> BigInt(lsb)) & 0xfn);
}

/** cpuid_feature_extract_signed_field() of arch/arm64/include/asm/cpufeature.h. */
function signedIdField(registers: IdRegisters, register: string, lsb: number): number {
  return Number(BigInt.asIntN(4, BigInt(idField(registers, register, lsb))));
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

/** Whether the kernel trusts a CPU's ID register, which it reads since 7.3. */
export function hasBbmLevel3(
  { bbml }: Pick<KernelTraits, 'bbml'>,
  registers: IdRegisters,
): boolean {
  return bbml === 'bbml3' && idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 3;
}

/**
 * cpu_supports_bbml2_noabort() or cpu_supports_bbml3() on one CPU, arch/arm64/kernel/cpufeature.c.
 * 7.3 also trusts ID_AA64MMFR2_EL1.BBM >= 3; older kernels do not read this register.
 * @returns why, as the name of the entry or field that decided; undefined when the CPU is not
 * capable
 */
export function cpuSupportsBbml(
  { bbml }: Pick<KernelTraits, 'bbml'>,
  registers: IdRegisters,
): string | undefined {
  if (bbml === 'none') return undefined;
  if (hasBbmLevel3({ bbml }, registers)) return 'ID_AA64MMFR2_EL1.BBM >= 3';
  return bbmlAllowList(bbml).find((range) => isMidrInRange(registers.MIDR_EL1 ?? 0n, range))?.name;
}

/** cpu_has_lpa2() and, with 64K pages, cpu_has_lva(): arch/arm64/include/asm/cpufeature.h. */
export function cpuHasLargeVa(traits: KernelTraits, registers: IdRegisters): boolean {
  switch (traits.geometry.granule) {
    case 4096:
      // 0xf means that the granule is missing.
      return signedIdField(registers, 'ID_AA64MMFR0_EL1', 28) >= 1;
    case 16384:
      return signedIdField(registers, 'ID_AA64MMFR0_EL1', 20) >= 2;
    case 65536:
      return idField(registers, 'ID_AA64MMFR2_EL1', 16) >= 1;
  }
}

/**
 * Parts of kpti_safe_list[] in arch/arm64/kernel/cpufeature.c (the same from 6.12 to 7.3), as
 * implementer << 12 | part.
 */
const kptiSafeList = new Set([
  // ThunderX2, Vulcan, Brahma B53
  ...[0x430af, 0x42516, 0x42100],
  // Cortex-A35, A53, A55, A57, A72, A73
  ...[0x41d04, 0x41d03, 0x41d05, 0x41d07, 0x41d08, 0x41d09],
  // TSV110, Carmel, Kryo 2xx Gold and Silver, 3xx Silver, 4xx Silver
  ...[0x48d01, 0x4e004, 0x51800, 0x51801, 0x51803, 0x51805],
]);

/**
 * A CPU that leaks the kernel's mappings to EL0: not on the safe list, and without
 * ID_AA64PFR0_EL1.CSV3. A CPU whose register is not known counts as safe.
 */
function isVulnerable(registers: Record<string, bigint>): boolean {
  const midr = registers.MIDR_EL1 ?? 0n;
  const part = Number((midr >> 24n) & 0xffn) * 2 ** 12 + Number((midr >> 4n) & 0xfffn);
  const told = registers.ID_AA64PFR0_EL1 !== undefined;
  return told && !kptiSafeList.has(part) && idField(registers, 'ID_AA64PFR0_EL1', 60) === 0;
}

/** What decides about KPTI. */
type KptiInputs = Pick<Kernel, 'traits' | 'idRegisters' | 'parameters' | 'kaslr'>;

/** Cavium ThunderX T88 up to pass 2.1 and T81 pass 1.0. */
const cavium27456: readonly MidrRange[] = [
  { model: model(0x43, 0x0a1), from: 0, to: 0x100001 },
  { model: model(0x43, 0x0a2), from: 0, to: 0 },
];

/**
 * ng_mappings_allowed() of arch/arm64/kernel/pi/map_kernel.c: whether a CPU can have non-global
 * mappings of the kernel. KPTI corrupts the kernel's text in the instruction cache of some.
 */
export function ng_mappings_allowed({ MIDR_EL1 = 0n }: IdRegisters): boolean {
  return !cavium27456.some((range) => isMidrInRange(MIDR_EL1, range));
}

/** this_cpu_has_cap(ARM64_WORKAROUND_CAVIUM_27456); a kernel that hides its list has it in it. */
function hasCavium27456({ traits, idRegisters }: KptiInputs): boolean {
  const known = traits.cpuCapabilities?.some(
    ({ description }) => description === 'Cavium erratum 27456',
  );
  return (known ?? true) && !ng_mappings_allowed(first(idRegisters));
}

/** kaslr_enabled(), arch/arm64/include/asm/setup.h. */
export function kaslr_enabled({ traits, kaslr }: Pick<Kernel, 'traits' | 'kaslr'>): boolean {
  return kaslr && traits.config.randomizeBase;
}

/**
 * kaslr_requires_kpti() of arch/arm64/include/asm/mmu.h; called with KASLR only, which is useless
 * if EL0 can find the kernel. FEAT_E0PD on the boot CPU prevents that.
 */
export function kaslr_requires_kpti(kernel: Omit<KptiInputs, 'parameters'>): boolean {
  const { traits, idRegisters } = kernel;
  const e0pd = traits.config.e0pd && idField(first(idRegisters), 'ID_AA64MMFR2_EL1', 60) !== 0;
  return kaslr_enabled(kernel) && !e0pd;
}

/**
 * unmap_kernel_at_el0() of arch/arm64/kernel/cpufeature.c: whether the kernel is unmapped while
 * user space runs, and what decided that. parse_kpti() takes the last value that kstrtobool()
 * accepts; 'mitigations=off' counts only where nothing else is set.
 */
export function unmap_kernel_at_el0(kernel: KptiInputs): { kpti: boolean; because: string } {
  const { traits, parameters } = kernel;
  if (!traits.config.unmapKernelAtEl0)
    return { kpti: false, because: 'CONFIG_UNMAP_KERNEL_AT_EL0 is off' };
  if (hasCavium27456(kernel))
    return { kpti: false, because: 'forced by ARM64_WORKAROUND_CAVIUM_27456' };
  const forced = lastBoolean(parameters, 'kpti', traits.release);
  if (forced !== undefined) return { kpti: forced, because: 'forced by the parameter kpti=' };
  if (kaslr_requires_kpti(kernel)) return { kpti: true, because: 'forced by KASLR' };
  if (cpu_mitigations_off(parameters, traits.release))
    return { kpti: false, because: 'forced by mitigations=off' };
  const vulnerable = kernel.idRegisters.findIndex(isVulnerable);
  return vulnerable < 0
    ? { kpti: false, because: 'every CPU has ID_AA64PFR0_EL1.CSV3 or is on the safe list' }
    : { kpti: true, because: `CPU ${vulnerable} has no CSV3 and is not on the safe list` };
}

/**
 * matches() of one capability on one CPU. BBM capabilities use this kernel's own list: 6.17 has a
 * shorter one.
 */
export function matches({ match }: CpuCapability, registers: IdRegisters): boolean {
  const midr = registers.MIDR_EL1 ?? 0n;
  if ('midrs' in match) return match.midrs.some((range) => isMidrInRange(midr, range));
  if (match.listed === undefined) return cpuSupportsBbml(match, registers) !== undefined;
  return hasBbmLevel3(match, registers) || match.listed.some((range) => isMidrInRange(midr, range));
}

function systemHas(capability: CpuCapability, boot: IdRegisters[]): boolean {
  const has = (registers: IdRegisters): boolean => matches(capability, registers);
  return 'bbml' in capability.match ? boot.every(has) : boot.some(has);
}

/**
 * The first capability, in order of their numbers, that does not allow a CPU that comes after boot
 * to differ from the system. The system has the BBM capability if every boot-time CPU has it, and
 * an erratum if any of them has it.
 */
export function verify_local_cpu_caps(
  traits: KernelTraits,
  boot: IdRegisters[],
  late: IdRegisters,
): CpuCapability | undefined {
  return traits.cpuCapabilities?.find((capability) => {
    const system = systemHas(capability, boot);
    if (system === matches(capability, late)) return false;
    const allowed = system ? cpucapType.optionalForLate : cpucapType.permittedForLate;
    return (capability.type & allowed) === 0;
  });
}

/**
 * setup_system_capabilities(): what every boot-time CPU has is now known and final. The system has
 * the BBM capability if each of them has it, and the decision about unmapping the kernel at EL0 is
 * made.
 */
export function setup_system_capabilities(kernel: Kernel): void {
  const { traits, idRegisters, decisions, why } = kernel;
  decisions.systemBbml = idRegisters.every(
    (registers) => cpuSupportsBbml(traits, registers) !== undefined,
  );
  if (traits.bbml !== 'none') {
    const name = traits.bbml === 'bbml3' ? 'bbml3' : 'bbml2_noabort';
    why(`system_supports_${name}()`, CPUFEATURE, `${decisions.systemBbml}`);
  }
  const { kpti, because } = unmap_kernel_at_el0(kernel);
  decisions.kpti = kpti;
  why('unmap_kernel_at_el0()', CPUFEATURE, `${kpti}: ${because}`);
}
