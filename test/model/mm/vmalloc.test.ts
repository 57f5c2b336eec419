// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { geometryOf } from '../../../src/linux/geometry.ts';
import { PTE_VALID } from '../../../src/linux/pgprot.ts';
import { LinearMap, TABLE } from '../../../src/model/linear-map.ts';
import { __vunmap_range_noflush } from '../../../src/model/mm/vmalloc.ts';
import type { OperationState, Registers, WholeMap } from '../../../src/model/operation.ts';

t.test('vunmap() takes every leaf of its range, and leaves the tables', async (t) => {
  const [start, page, block] = [2n ** 64n - 2n ** 39n, 2n ** 12n, 2n ** 21n];
  const map = new LinearMap(geometryOf(4096), 39, start, 0);
  const leaf = map.leaf(PTE_VALID);
  const middle = map.populate(map.root, 0, 0n);
  const pages = map.populate(middle, 0, 0n);
  for (const index of [3, 4, 5, 6]) pages.set(index, leaf);
  middle.set(1, leaf);
  middle.set(2, leaf);
  const unmap = (from: bigint, to: bigint) =>
    __vunmap_range_noflush.run(
      { map: map as WholeMap } as OperationState,
      [start + from, start + to] as readonly bigint[] as Registers,
    );
  const mapped = () =>
    [pages, middle].map((table) => table.runs().map(({ first, count }) => [first, count]));

  t.equal(unmap(4n * page, 6n * page), undefined);
  t.same(mapped(), [
    [
      [3, 1],
      [6, 1],
    ],
    [
      [0, 1],
      [1, 2],
    ],
  ]);
  unmap(6n * page, 2n * block);
  t.same(mapped(), [
    [[3, 1]],
    [
      [0, 1],
      [2, 1],
    ],
  ]);
  unmap(0n, block);
  t.same(mapped(), [
    [],
    [
      [0, 1],
      [2, 1],
    ],
  ]);
  t.equal(middle.at(0), TABLE, 'a table without leaves stays');
});
