// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { leafKind, linearMapSizes } from '../../src/linux/leaf-kind.ts';
import type { LeafRun, Level } from '../../src/vmsa/types.ts';

const run = (level: Level, contiguous: boolean, size: number, valid = true): LeafRun => ({
  va: 0n,
  pa: 0,
  size,
  level,
  contiguous,
  valid,
  attributes: 0n,
  tableAttributes: 0,
});

t.test('kinds by level and contiguous bit', (t) => {
  t.equal(leafKind(run(3, false, 0)), 'page');
  t.equal(leafKind(run(3, true, 0)), 'contPte');
  t.equal(leafKind(run(2, false, 0)), 'pmd');
  t.equal(leafKind(run(2, true, 0)), 'contPmd');
  t.equal(leafKind(run(1, false, 0)), 'pud');
  t.end();
});

t.test('sizes add up by kind, invalid leaves apart', (t) => {
  const runs = [
    run(3, false, 1),
    run(3, true, 2),
    run(3, false, 4),
    run(2, false, 8),
    run(2, true, 16),
    run(1, false, 32),
  ];
  const sizes = linearMapSizes([...runs, run(3, false, 64, false), run(2, true, 128, false)]);
  t.same(sizes, { page: 5, contPte: 2, pmd: 8, contPmd: 16, pud: 32, invalid: 192 });
  t.same(linearMapSizes([]), { page: 0, contPte: 0, pmd: 0, contPmd: 0, pud: 0, invalid: 0 });
  t.end();
});
