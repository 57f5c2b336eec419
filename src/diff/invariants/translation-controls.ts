// SPDX-License-Identifier: GPL-2.0-only
import type { Invariant } from '../context.ts';
import { violation } from './violation.ts';

/** Field, lowest bit, width and the only correct value for an SMP kernel with its MMU on. */
type Control = [field: string, low: bigint, width: bigint, value: bigint];

/**
 * TCR_EL1: table walks of both halves are write-back, inner shareable (TCR_CACHE_FLAGS, TCR_SHARED
 * in arch/arm64/mm/proc.S); TTBR1 walks are on.
 */
const tcr: Control[] = [
  ['IRGN0', 8n, 2n, 1n],
  ['ORGN0', 10n, 2n, 1n],
  ['SH0', 12n, 2n, 3n],
  ['EPD1', 23n, 1n, 0n],
  ['IRGN1', 24n, 2n, 1n],
  ['ORGN1', 26n, 2n, 1n],
  ['SH1', 28n, 2n, 3n],
];

/** SCTLR_EL1: MMU and caches are on (INIT_SCTLR_EL1_MMU_ON in arch/arm64/include/asm/sysreg.h). */
const sctlr: Control[] = [
  ['M', 0n, 1n, 1n],
  ['C', 2n, 1n, 1n],
  ['I', 12n, 1n, 1n],
];

/**
 * Every online CPU walks the tables as coherent memory, with the attributes that the kernel uses to
 * write them. Otherwise a CPU may see stale descriptors (DDI 0487 D8.2.11, D8.6), which has no
 * visible effect under TCG.
 */
export const translationControls: Invariant = (context) => {
  if (context.capture.registersPredicted) return [];
  const broken = new Map<string, string[]>();
  for (const [cpu, { online, registers }] of context.capture.cpus.entries()) {
    if (!online) continue;
    for (const [register, value, controls] of [
      ['TCR_EL1', registers.TCR_EL1, tcr],
      ['SCTLR_EL1', registers.SCTLR_EL1, sctlr],
    ] as const) {
      for (const [field, low, width, right] of controls) {
        const actual = (value >> low) & ((1n << width) - 1n);
        if (actual === right) continue;
        const name = `${register}.${field}`;
        broken.set(name, [
          ...(broken.get(name) ?? []),
          `  CPU ${cpu}: ${name} is ${actual}, must be ${right}`,
        ]);
      }
    }
  }
  return [...broken].map(([name, lines]) =>
    violation(
      context,
      {
        name: 'translation-controls',
        nature: name,
        title: `${name} is wrong on an online CPU`,
        because: 'Table walks must be cacheable and inner shareable, with MMU and caches on.',
      },
      lines,
    ),
  );
};
