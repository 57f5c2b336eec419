// SPDX-License-Identifier: GPL-2.0-only
import type { Assumptions } from './assumptions.ts';
import { type MidrRange, midrList } from './cpu-capabilities.ts';
import { ImageReader } from './image-reader.ts';
import type { SymbolTable } from './symbol-table.ts';

/**
 * The list in cpu_has_broken_dbm() (arch/arm64/kernel/cpufeature.c) with all its options,
 * CONFIG_ARM64_ERRATUM_1024718 and _2051678: Cortex-A55, Kryo 4xx Silver rdpe, Cortex-A510 r0p0 to
 * r0p2.
 */
export const everyBrokenDbm: readonly MidrRange[] = [
  { model: 0x410fd050, from: 0, to: 0xf0000f },
  { model: 0x510f8050, from: 0xd0000e, to: 0xd0000e },
  { model: 0x410fd460, from: 0, to: 2 },
];

/** Bits 19:16 of MIDR_EL1, Architecture: 0xf on each CPU that has ID registers (DDI 0487). */
const isModel = (model: number): boolean => ((model >>> 16) & 0xf) === 0xf;

/**
 * The list as an Image has it, which options fill. Compilers call it cpus, with the name of its
 * function before it, a number behind it, or both.
 */
function brokenDbmShown(image: Uint8Array, symbols: SymbolTable): MidrRange[] | undefined {
  const reader = new ImageReader(image, symbols);
  const lists = symbols
    .matching(/(^|\.)cpus(\.\d+)?$/)
    .map((address) => midrList(reader, address))
    .filter((list) => list.every(({ model }) => isModel(model)));
  return lists.find(({ length }) => length > 0) ?? lists[0];
}

/**
 * CPUs on which the kernel does not enable dirty state management.
 * @param image the whole Image of a kernel with CONFIG_ARM64_HW_AFDBM
 */
export function brokenDbmOf(
  image: Uint8Array,
  symbols: SymbolTable,
  assumed: Assumptions,
): readonly MidrRange[] {
  return assumed.trait('brokenDbm', brokenDbmShown(image, symbols), {
    rule: everyBrokenDbm,
    others: [[]],
    says: ({ length }) =>
      `the errata of dirty state management are ${length > 0 ? 'all' : 'not'} worked around`,
    why: 'cpu_has_broken_dbm() has no list of CPUs',
  });
}
