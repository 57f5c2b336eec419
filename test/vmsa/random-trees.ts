// SPDX-License-Identifier: GPL-2.0-only
/** Random translation tables of every regime, and the entries that were put into them. */

import fc from 'fast-check';
import type { Granule } from '../../src/vmsa/types.ts';
import { given } from '../given.ts';
import { encodeAddress, levelShifts, type Setup, TableTree } from './encode.ts';

/**
 * A wish of the generator; it is dropped where the regime has no such entry or the place is taken.
 */
interface Wish {
  /** Levels above level 3. */
  up: number;
  indices: number[];
  count: number;
  /** Address in entries, from below or from a boundary that carries. */
  frame: bigint;
  near: 'low' | '4G' | '1P' | 'top';
  attributes: bigint;
  contiguous: boolean;
  valid: boolean;
}

export interface Entry {
  va: bigint;
  pa: bigint;
  level: number;
  contiguous: boolean;
  valid: boolean;
  attributes: bigint;
  inherited: bigint;
}

const vaSizes: Record<Granule, number[]> = {
  4096: [16, 25, 30, 31, 36, 39, 40, 42, 47, 48],
  16384: [16, 25, 26, 36, 37, 42, 47, 48],
  65536: [17, 25, 29, 30, 42, 43, 47, 48, 52],
};

export const setups: fc.Arbitrary<Setup> = fc
  .record({
    half: fc.constantFrom('ttbr0' as const, 'ttbr1' as const),
    granule: fc.constantFrom<Granule>(4096, 16384, 65536),
    broad: fc.boolean(),
    size: fc.nat(),
    asid: fc.bigInt(0n, 0xffffn),
  })
  .map(({ half, granule, broad, size, asid }) => {
    const sizes =
      broad && granule !== 65536 ? [...vaSizes[granule], 49, 50, 51, 52] : vaSizes[granule];
    const wide = broad ? (granule === 65536 ? 'lpa' : 'lpa2') : 'no';
    return { half, granule, vaBits: given(sizes[size % sizes.length]), wide, asid };
  });

const index = fc.oneof(
  fc.nat(3),
  fc.constantFrom(15, 16, 127, 510, 511, 2046, 2047, 8191),
  fc.nat(8191),
);
export const wishes: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    up: fc.constantFrom(0, 0, 0, 1, 1, 2, 3, 4),
    indices: fc.array(index, { minLength: 5, maxLength: 5 }),
    count: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 700 })),
    frame: fc.bigInt(0n, 2n ** 40n),
    near: fc.constantFrom('low', '4G', '1P', 'top'),
    attributes: fc.bigInt(0n, 2n ** 64n - 1n),
    contiguous: fc.boolean(),
    valid: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

/**
 * Number of entries in a contiguous group, by granule and levels above level 3 (the architecture's
 * table).
 */
const groupTable: Record<Granule, number[]> = {
  4096: [16, 16, 16],
  16384: [128, 32],
  65536: [32, 32],
};

/** May a block stand so many levels above level 3? */
function blockAllowed(setup: Setup, up: number): boolean {
  const highest = { 4096: 2, 16384: 1, 65536: 1 }[setup.granule] + (setup.wide === 'no' ? 0 : 1);
  return up <= highest;
}

/** Attribute bits that a valid page or block may have in any combination; SH 0b01 is reserved. */
function legalAttributes(setup: Setup, up: number, random: bigint, contiguous: boolean): bigint {
  let bits = random & 0xff_ec_00_00_00_00_0c_fcn & ~(1n << 52n);
  if (setup.wide !== 'lpa2') bits |= (random & 0x300n) === 0x100n ? 0x200n : random & 0x300n;
  if (up > 0) bits |= random & (1n << 16n);
  return bits | (contiguous ? 1n << 52n : 0n) | (up === 0 ? 3n : 1n);
}

/**
 * Everything but the address field, with bit 0 clear and at least one other bit set: hardware
 * ignores such an entry.
 */
function invalidAttributes(setup: Setup, shift: number, random: bigint): bigint {
  const top = setup.wide === 'lpa2' ? 50n : 48n;
  const field = 2n ** top - 2n ** BigInt(Math.min(shift, Number(top)));
  const upper = setup.wide === 'lpa2' ? 0x300n : setup.granule === 65536 ? 0xf000n : 0n;
  return (random & ~field & ~upper & ~1n & (2n ** 64n - 1n)) | 0x800n;
}

function outputLimit(setup: Setup): bigint {
  return setup.wide === 'no' ? 2n ** 48n : 2n ** 52n;
}

function firstAddress(setup: Setup, wish: Wish, shift: number, count: number): bigint {
  const limit = outputLimit(setup);
  const size = 2n ** BigInt(shift);
  const total = BigInt(count) * size;
  const start = {
    low: wish.frame * size,
    '4G': 2n ** 32n - total / 2n,
    '1P': 2n ** 50n - total / 2n,
    top: limit - total,
  };
  const wanted = start[wish.near] - (start[wish.near] % size);
  return wanted < 0n || wanted + total > limit ? 0n : wanted;
}

/** Puts one wish into the tree; returns the entries that fitted. */
function grant(setup: Setup, tree: TableTree, wish: Wish): Entry[] {
  const depth = tree.shifts.length - 1 - wish.up;
  if (depth < 0) return [];
  const shift = given(tree.shifts[depth]);
  const size = 2n ** BigInt(shift);
  const span = 2n ** BigInt(setup.vaBits);
  const valid = wish.valid && (wish.up === 0 || blockAllowed(setup, wish.up));
  const group = groupTable[setup.granule][wish.up] ?? 0;
  const rootEntries = 2 ** (setup.vaBits - given(tree.shifts[0]));
  const contiguous = valid && wish.contiguous && group > 0 && (depth > 0 || rootEntries >= group);
  // No more entries than the output addresses can number.
  const most = Number(outputLimit(setup) / size);
  const count = Math.min(most, contiguous ? Math.ceil(wish.count / group) * group : wish.count);
  const step = contiguous ? size * BigInt(group) : size;
  let offset = 0n;
  for (let above = 0; above <= depth; above++)
    offset += BigInt(given(wish.indices[above])) << BigInt(given(tree.shifts[above]));
  offset %= span;
  offset -= offset % step;
  let pa = firstAddress(setup, wish, shift, count);
  pa -= pa % step;
  const attributes = valid
    ? legalAttributes(setup, wish.up, wish.attributes, contiguous)
    : invalidAttributes(setup, shift, wish.attributes);
  return fill(setup, tree, {
    offset,
    pa,
    size,
    count,
    depth,
    attributes,
    contiguous,
    valid,
    group,
  });
}

interface Range {
  offset: bigint;
  pa: bigint;
  size: bigint;
  count: number;
  depth: number;
  attributes: bigint;
  contiguous: boolean;
  valid: boolean;
  group: number;
}

function fill(setup: Setup, tree: TableTree, range: Range): Entry[] {
  const entries: Entry[] = [];
  const span = 2n ** BigInt(setup.vaBits);
  for (let done = 0; done < range.count; done++) {
    const offset = range.offset + BigInt(done) * range.size;
    const pa = range.pa + BigInt(done) * range.size;
    if (offset >= span) break;
    const put = tree.put(offset, range.depth, range.attributes + encodeAddress(setup, pa));
    if (put === false) break;
    entries.push({
      va: tree.base + offset,
      pa,
      level: tree.levelOf(range.depth),
      contiguous: (range.attributes & (1n << 52n)) !== 0n,
      valid: range.valid,
      attributes: range.attributes,
      inherited: put.inherited,
    });
  }
  return entries;
}

export const byAddress = (a: { va: bigint }, b: { va: bigint }) =>
  a.va < b.va ? -1 : a.va > b.va ? 1 : 0;

/**
 * The tables that a list of wishes makes, and their entries by address; undefined where a contiguous
 * group met a taken place.
 */
export function build(setup: Setup, list: Wish[], seed: bigint) {
  const limit = outputLimit(setup);
  const granule = BigInt(setup.granule);
  // A full-period sequence of distinct page frames over the whole output range.
  const frames = limit / granule;
  let frame = seed % frames;
  const allocate = () => {
    frame = (frame + 0x9e37_79b9n) % frames;
    return frame * granule;
  };
  const rootBytes = BigInt(8 * 2 ** (setup.vaBits - given(levelShifts(setup)[0])));
  const alignment = setup.wide === 'no' || rootBytes > 64n ? rootBytes : 64n;
  const root = allocate() + (alignment < granule ? alignment : 0n);
  let noise = seed;
  const tableBits = () => {
    noise = (noise * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    const ignored = setup.wide === 'lpa2' ? 0x07f8_0000_0000_0cfcn : 0x07f8_0000_0000_0ffcn;
    return { hierarchical: noise >> 63n ? (noise >> 20n) % 32n : 0n, ignored: noise & ignored };
  };
  const tree = new TableTree(setup, root, allocate, tableBits);
  const entries: Entry[] = [];
  for (const wish of list) {
    const granted = grant(setup, tree, wish);
    const group = groupTable[setup.granule][wish.up] ?? 0;
    // A group that met a taken place stays partial: such a tree is not valid and is not tested
    // here.
    if (granted[0]?.valid && granted[0].contiguous && granted.length % group !== 0)
      return undefined;
    entries.push(...granted);
  }
  return { tree, entries: entries.sort(byAddress) };
}
