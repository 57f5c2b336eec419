// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import t from 'tap';
import { bigintReplacer } from '../../src/bigint-json.ts';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { Granule, LeafRun } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { walkRuns } from '../../src/vmsa/walk-runs.ts';
import { given } from '../given.ts';
import { isSame } from '../same-json.ts';
import { encodeRegisters, type TableTree } from './encode.ts';
import { runsOf } from './encode-runs.ts';
import { build, byAddress, type Entry, setups, wishes } from './random-trees.ts';

function expand(runs: LeafRun[], granule: Granule): Entry[] {
  const perTable = { 4096: 9, 16384: 11, 65536: 13 }[granule];
  const entries: Entry[] = [];
  for (const run of runs) {
    const size = granule * 2 ** (perTable * (3 - run.level));
    for (let done = 0; done < run.size; done += size) {
      const { level, contiguous, valid, attributes } = run;
      const place = {
        va: run.va + BigInt(done),
        pa: BigInt(run.pa + done),
        inherited: BigInt(run.tableAttributes),
      };
      entries.push({ ...place, level, contiguous, valid, attributes });
    }
  }
  return entries;
}

/** Could the second run have been folded into the first? */
function foldable(first: LeafRun, second: LeafRun): boolean {
  return (
    first.va + BigInt(first.size) === second.va &&
    first.pa + first.size === second.pa &&
    first.level === second.level &&
    first.attributes === second.attributes &&
    first.tableAttributes === second.tableAttributes
  );
}

t.test('a walk finds exactly what the encoder put down', (t) => {
  let built = 0;
  const property = fc.property(
    setups,
    wishes,
    fc.bigInt(0n, 2n ** 64n - 1n),
    (setup, list, seed) => {
      const made = build(setup, list, seed);
      if (made === undefined) return;
      built++;
      const { tree, entries } = made;
      const regime = stage1Regime(encodeRegisters(setup, tree.root), setup.half);
      const result = walk(regime, tree.ram);
      const tables = tree.tables
        .map((table) => ({ ...table, pa: Number(table.pa) }))
        .sort((a, b) => byAddress(a, b) || a.level - b.level);
      const shown = JSON.stringify(setup, bigintReplacer);
      const same = (actual: unknown, expected: unknown, what: string) => {
        if (isSame(actual, expected)) return;
        const text = (value: unknown) => JSON.stringify(value, bigintReplacer);
        throw new Error(`${what} differ for ${shown}: ${text(actual)}\nexpected ${text(expected)}`);
      };
      same(result.malformed, [], 'malformed');
      same(expand(result.leaves, setup.granule).map(ordered), entries.map(ordered), 'leaves');
      same(result.tables.map(orderedTable), tables.map(orderedTable), 'tables');
      for (let i = 1; i < result.leaves.length; i++) {
        if (foldable(given(result.leaves[i - 1]), given(result.leaves[i])))
          throw new Error(`run ${i} was not folded for ${shown}`);
      }
    },
  );
  fc.assert(property, { numRuns: 1500 });
  t.ok(built > 1000, `${built} trees were valid and compared`);
  t.end();
});

/** Flips bits of entries that lead to no table: what is left is odd, and reaches no other memory. */
function damage(tree: TableTree, entries: readonly Entry[], seed: bigint): void {
  for (const [count, bit] of [2n, 7n, 11n, 30n, 41n, 52n, 54n].entries()) {
    const entry = entries[Number((seed >> BigInt(count)) % BigInt(entries.length || 1))];
    if (entry === undefined || (seed >> BigInt(20 + count)) % 3n !== 0n) continue;
    const depth = entry.level - tree.levelOf(0);
    tree.flip(entry.va - tree.base, depth, 1n << (bit + (seed % 5n)));
  }
}

t.test('walkRuns() finds in runs what walk() finds in the tables they are of', (t) => {
  let built = 0;
  const property = fc.property(
    setups,
    wishes,
    fc.bigInt(0n, 2n ** 64n - 1n),
    (setup, list, seed) => {
      const made = build(setup, list, seed);
      if (made === undefined) return;
      built++;
      const { tree, entries } = made;
      if (seed % 2n === 0n) damage(tree, entries, seed);
      const regime = stage1Regime(encodeRegisters(setup, tree.root), setup.half);
      const expected = walk(regime, tree.ram);
      const found = walkRuns(regime, runsOf(regime, tree.ram));
      if (isSame(found, expected)) return;
      const text = (value: unknown) => JSON.stringify(value, bigintReplacer);
      throw new Error(`for ${text(setup)}: ${text(found)}\nexpected ${text(expected)}`);
    },
  );
  fc.assert(property, { numRuns: 1500 });
  t.ok(built > 1000, `${built} trees were valid and compared`);
  t.end();
});

function ordered(entry: Entry) {
  return [
    entry.va,
    entry.pa,
    entry.level,
    entry.contiguous,
    entry.valid,
    entry.attributes,
    entry.inherited,
  ];
}

function orderedTable(table: { pa: number; level: number; va: bigint; attributes: bigint }) {
  return [table.va, table.level, table.pa, table.attributes];
}
