// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { geometryOf } from '../../src/linux/geometry.ts';
import { PTE_CONT, PTE_VALID, PTE_WRITE } from '../../src/linux/pgprot.ts';
import { type Area, leafRuns, predictedTables } from '../../src/model/leaf-runs.ts';
import { LinearMap, PROT_NS_SHARED, type Table } from '../../src/model/linear-map.ts';
import type { PredictedRun } from '../../src/model/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import { given } from '../given.ts';

/*
 * A linear map that is small enough to look at each leaf: three levels of tables of four entries,
 * and pages of eight bytes.
 */
const geometry = { ...geometryOf(4096), pageShift: 3, tableBits: 2 };
const vaBits = 9;
const size = 2 ** vaBits;
const [va, pa] = [0xffff_0000n, 0x4000];

/** What an entry holds: nothing, attributes, or a table and the top bits of its descriptor. */
type Entry = undefined | bigint | { top: bigint; entries: Entry[] };

// So few that neighbours are often equal.
const someLeaf = fc.constantFrom(
  PTE_VALID,
  PTE_VALID | PTE_WRITE,
  PTE_VALID | PTE_CONT,
  PTE_VALID | PROT_NS_SHARED,
  PTE_WRITE,
);
function someEntries(level: number): fc.Arbitrary<Entry[]> {
  const entry: fc.Arbitrary<Entry> = fc.oneof(
    { weight: 3, arbitrary: someLeaf },
    fc.constant(undefined),
  );
  const table = () =>
    fc.record({ top: fc.constantFrom(0n, 1n, 16n), entries: someEntries(level + 1) });
  const any = level < 3 ? fc.oneof(entry, table()) : entry;
  return fc.array(any, { minLength: 4, maxLength: 4 });
}

function mapOf(entries: Entry[]): LinearMap {
  const map = new LinearMap(geometry, vaBits, va, pa);
  const fill = (table: Table, own: Entry[]): void => {
    for (const [index, entry] of own.entries()) {
      if (typeof entry === 'bigint') table.set(index, map.leaf(entry));
      else if (entry) fill(map.populate(table, index, entry.top << 59n), entry.entries);
    }
  };
  fill(map.root, entries);
  return map;
}

const whole = (attributes: bigint): bigint[] => [attributes ^ PTE_VALID];
/** Areas of any bytes, disjoint and ascending; some touch, and some are smaller than a page. */
const someAreas: fc.Arbitrary<Area[]> = fc
  .uniqueArray(fc.nat(size), { maxLength: 12 })
  .chain((borders) => {
    const sorted = borders.sort((a, b) => a - b);
    return fc
      .array(fc.constantFrom(undefined, 'one', 'two', 'other'), {
        minLength: Math.max(sorted.length - 1, 0),
        maxLength: Math.max(sorted.length - 1, 0),
      })
      .map((names) =>
        names.flatMap((why, i): Area[] => {
          const [start, end] = [given(sorted[i]), given(sorted[i + 1])];
          if (why === undefined) return [];
          return [{ start, end, why, ...(why === 'other' && { alternatives: whole }) }];
        }),
      );
  });

/** Every leaf by itself, in ascending address, with the area in which its first byte lies. */
function leavesOf(entries: Entry[], areas: Area[], aliasBit: number): PredictedRun[] {
  const leaves = (own: Entry[], level: 1 | 2 | 3, offset: number, top: bigint): PredictedRun[] =>
    own.flatMap((entry, index): PredictedRun[] => {
      const bytes = 8 * 4 ** (3 - level);
      const at = offset + index * bytes;
      if (entry === undefined) return [];
      if (typeof entry === 'object')
        return leaves(entry.entries, (level + 1) as 2 | 3, at, top | entry.top);
      const area = areas.find(({ start, end }) => start <= at && at < end);
      const attributes = BigInt.asUintN(64, entry);
      return [
        {
          va: va + BigInt(at),
          pa: pa + at + (entry === attributes ? 0 : aliasBit),
          ...{ size: bytes, level, attributes, tableAttributes: Number(top) },
          contiguous: (attributes & PTE_CONT) !== 0n,
          valid: (attributes & PTE_VALID) !== 0n,
          why: area?.why ?? 'memory',
          alternatives: area?.alternatives?.(attributes) ?? [],
        },
      ];
    });
  return leaves(entries, 1, 0, 0n);
}

/** Leaves that follow each other and differ in their addresses alone, as one. */
function joined(leaves: PredictedRun[]): PredictedRun[] {
  const kindOf = ({ va: _, pa: __, size: ___, ...rest }: PredictedRun) => stableJson(rest);
  const runs: PredictedRun[] = [];
  for (const leaf of leaves) {
    const last = runs.at(-1);
    const follows =
      last && last.va + BigInt(last.size) === leaf.va && last.pa + last.size === leaf.pa;
    if (last && follows && kindOf(last) === kindOf(leaf)) last.size += leaf.size;
    else runs.push({ ...leaf });
  }
  return runs;
}

t.test('runs are the leaves one by one, each in the area of its first byte, joined', (t) => {
  const aliasBits = fc.constantFrom(undefined, 2 ** 30);
  fc.assert(
    fc.property(someEntries(1), someAreas, aliasBits, (entries, areas, aliasBit) => {
      const runs = leafRuns(mapOf(entries), areas, aliasBit);
      const expected = joined(leavesOf(entries, areas, aliasBit ?? 0));
      return stableJson(runs) === stableJson(expected);
    }),
    { numRuns: 200 },
  );
  t.pass('for any map and any areas');
  t.end();
});

t.test('a table in which nothing is mapped has no runs', (t) => {
  t.same(leafRuns(mapOf([undefined, { top: 0n, entries: [] }]), []), []);
  t.end();
});

t.test('tables ascend, whatever the order in which they were made', (t) => {
  const map = mapOf([]);
  const upper = map.populate(map.root, 3, 3n);
  for (const index of [2, 0]) map.populate(upper, index, BigInt(index));
  map.populate(map.root, 1, 1n);
  t.same(predictedTables(map), [
    { level: 2, va: va + 128n, attributes: 1n },
    { level: 2, va: va + 384n, attributes: 3n },
    { level: 3, va: va + 384n, attributes: 0n },
    { level: 3, va: va + 448n, attributes: 2n },
  ]);
  t.end();
});
