// SPDX-License-Identifier: GPL-2.0-only
import { isInOperation } from '../../evidence/capture.ts';
import { join } from '../../linux/physical-range.ts';
import { accessOf } from '../access.ts';
import { type Invariant, imageVa, inVirtual } from '../context.ts';
import { runsOnto } from '../physical.ts';
import { tableRange } from '../table-range.ts';
import { leavesViolation } from './violation.ts';

/**
 * Once init runs, table pages of the kernel half are writable only through the linear map (or the
 * image, for swapper_pg_dir and the like in .rodata and .bss): early_pgtable_alloc() and
 * __pgd_pgtable_alloc() in arch/arm64/mm/mmu.c take them from there, and the fixmap slots that fill
 * them during boot (pte_set_fixmap() and others) are cleared again. Another writable alias would
 * allow forged translations.
 */
export const tablesMappedOnce: Invariant = (context) => {
  const { capture, image, linear } = context;
  if (!isInOperation(capture.checkpoint)) return [];
  const imageView = { start: imageVa(image, '_text'), end: imageVa(image, '_end') };
  const others = capture.ttbr1.leaves.filter(
    (run) =>
      !inVirtual(run, linear) &&
      !inVirtual(run, imageView) &&
      accessOf(context.regime, run).el1.write,
  );
  const tables = capture.ttbr1.tables.map((table) => tableRange(table, context.regime));
  // Mostly nothing maps them: as few ranges as they are tell that soon.
  if (runsOnto(others, join(tables)).length === 0) return [];
  return leavesViolation(
    context,
    {
      name: 'tables-mapped-once',
      nature: 'writable-alias',
      title: 'a translation table page has a writable alias outside the linear map',
      because:
        'Tables of the kernel half are written through the linear map or the kernel image only.',
    },
    runsOnto(others, tables),
  );
};
