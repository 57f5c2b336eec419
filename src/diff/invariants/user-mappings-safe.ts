// SPDX-License-Identifier: GPL-2.0-only
import type { LeafRun } from '../../vmsa/types.ts';
import { accessOf } from '../access.ts';
import { type Invariant, imageRange } from '../context.ts';
import { runsOnto } from '../physical.ts';
import { tableRange } from '../table-range.ts';
import { leavesViolation } from './violation.ts';

/**
 * User mappings at init reach nothing of the kernel: no table page at all, and no writable page of
 * the kernel image (the vDSO and the zero page are mapped from it, read-only; init memory has been
 * freed and may belong to anything). None of them is executable at EL1, since every user protection
 * has PTE_PXN (arch/arm64/include/asm/pgtable-prot.h).
 */
export const userMappingsSafe: Invariant = (context) => {
  const { capture, image } = context;
  if (!capture.ttbr0 || !context.userRegime) return [];
  const regime = context.userRegime;
  const user = capture.ttbr0.leaves.filter((run) => run.valid);
  const writable = user.filter(
    (run) => accessOf(regime, run).el0.write || accessOf(regime, run).el1.write,
  );
  const tables = [
    ...capture.ttbr1.tables.map((table) => tableRange(table, context.regime)),
    ...capture.ttbr0.tables.map((table) => tableRange(table, regime)),
  ];
  const onTables = runsOnto(user, tables);
  const kernel = [
    imageRange(image, '_text', '__init_begin'),
    imageRange(image, '__init_end', '_end'),
  ];
  const onImage = runsOnto(writable, kernel);
  const rights: [string, string, LeafRun[]][] = [
    ['table-page', 'a translation table page is mapped into user space', onTables],
    ['kernel-image-writable', 'user space can write to the kernel image', onImage],
    [
      'kernel-executable',
      'user pages are executable at EL1',
      user.filter((run) => accessOf(regime, run).el1.execute),
    ],
  ];
  return rights.flatMap(([nature, title, runs]) =>
    leavesViolation(
      context,
      {
        name: 'user-mappings-safe',
        nature,
        title,
        because: 'No user mapping may reach tables or kernel memory, or be code at EL1.',
      },
      runs,
    ),
  );
};
