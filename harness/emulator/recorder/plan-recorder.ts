// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../../src/linux/physical-range.ts';
import type { RecorderList } from '../../../src/linux/recorded-functions.ts';
import type { SymbolTable } from '../../../src/linux/symbol-table.ts';
import { RAM_BASE } from '../../../src/scenario/memory.ts';
import type { ImageAnchor } from '../../boot/image-anchor.ts';
import { escapeComma } from '../qemu-options.ts';

/** What the recorder must know of a machine and its kernel. */
export interface RecorderPlan {
  /** Path of the library that QEMU loads. */
  library: string;
  list: RecorderList;
  /** Arguments by their names in install.c. */
  facts: Record<string, bigint>;
}

/**
 * From here on everything is looked up, since the kernel writes tables there: through the fixmap
 * (FIXADDR_TOP is 8 MiB below the end of addresses, arch/arm64/include/asm/memory.h), and through
 * the page of KPTI (KPTI_NG_TEMP_VA of arch/arm64/mm/mmu.c: -PMD_SIZE, which is 512 MiB with pages
 * of 64K). vmemmap ends 1 GiB below the end, and PCI I/O is right behind it (6.9 on).
 */
const windowsStart = 0xffff_ffff_e000_0000n;

/**
 * @param memory of the guest, in MiB
 * @returns undefined for a kernel whose symbols do not tell where it ends
 */
export function planRecorder(
  library: string,
  list: RecorderList,
  kernel: { symbols: SymbolTable; anchor: ImageAnchor },
  memory: number,
  monitor: PhysicalRange | undefined,
): RecorderPlan | undefined {
  const { symbols, anchor } = kernel;
  const imageEnd = symbols.address('_end');
  if (imageEnd === undefined) return undefined;
  return {
    library,
    list,
    facts: {
      ram_base: BigInt(RAM_BASE),
      ram_size: BigInt(memory) << 20n,
      skip_start: BigInt(monitor?.start ?? 0),
      skip_end: BigInt(monitor?.end ?? 0),
      anchor_pa: BigInt(anchor.branchPa),
      anchor_register: BigInt(anchor.register.slice(1)),
      anchor_target: anchor.target,
      image_pa: BigInt(anchor.imagePa),
      image_start: symbols.textBase,
      image_end: imageEnd,
      page_end: pageEnd(symbols.textBase),
      windows_start: windowsStart,
    },
  };
}

/**
 * PAGE_END of arch/arm64/include/asm/memory.h for VA_BITS_MIN: the Image is above it, and no address
 * between has a bit of it clear.
 */
export function pageEnd(textBase: bigint): bigint {
  let bits = 0n;
  while ((textBase >> (63n - bits)) & 1n) bits++;
  return (1n << 64n) - (1n << (64n - bits));
}

/** QEMU's option that loads the recorder. */
export function recorderOption(
  { library, facts }: RecorderPlan,
  paths: { events: string; functions: string },
): string[] {
  const words = Object.entries(facts).map(([name, value]) => `${name}=0x${value.toString(16)}`);
  const files = [`out=${paths.events}`, `functions=${paths.functions}`];
  return ['-plugin', [`file=${library}`, ...files, ...words].map(escapeComma).join(',')];
}
