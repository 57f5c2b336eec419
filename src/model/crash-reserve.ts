import { valuesOf } from '../linux/cmdline.ts';
import type { KernelTraits } from '../linux/traits.ts';
import type { BootFacts, PhysicalRange } from './boot-facts.ts';
import type { Derivation } from './derivation.ts';

const units: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes that the last crashkernel= of the forms SIZE, SIZE@OFFSET and SIZE,high asks for (parse_crashkernel()); 0 without one. */
function crashkernelSize(parameters: string[]): number {
  const value = valuesOf(parameters, 'crashkernel').at(-1) ?? '';
  const [, digits, unit] = /^(\d+)([KMG]?)(?:@\w+|,high)?$/i.exec(value) ?? [];
  return digits === undefined ? 0 : Number(digits) * units[unit.toUpperCase()];
}

/**
 * reserve_crashkernel_generic() of kernel/crash_reserve.c, called by bootmem_init() behind paging_init(): memory for the crash kernel is reserved
 * in memblock, and that is all. map_mem() of no kernel from 6.12 on knows of it, and nothing protects it later, so that it is mapped like
 * any other memory, in blocks where those are.
 * @returns the reserved range, or undefined where the parameter asks for nothing
 */
export function reserve_crashkernel_generic(
  traits: KernelTraits,
  parameters: string[],
  { crashKernel = 0 }: BootFacts,
  why: Derivation,
): PhysicalRange | undefined {
  const size = traits.config.crashReserve ? crashkernelSize(parameters) : 0;
  if (size === 0) return undefined;
  const source = 'kernel/crash_reserve.c, arch/arm64/mm/init.c';
  why(
    'reserve_crashkernel_generic()',
    source,
    `${size / 2 ** 20} MiB are reserved behind paging_init(), and stay mapped`,
  );
  return { start: crashKernel, end: crashKernel + size };
}

/** struct resource crashk_res as it is captured: start, and from bit 64 on the last byte. */
export function crashResource(range: PhysicalRange | undefined): bigint {
  return range ? BigInt(range.start) | (BigInt(range.end - 1) << 64n) : 0n;
}
