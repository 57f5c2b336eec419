// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { RAM_BASE } from '../memory.ts';
import type { Machine, MemoryRange } from '../types.ts';

const KIB = 1024;
const MIB = 2 ** 20;
/** Most of what QEMU's boot loader loads lies so far from the memory's start, in bytes. */
const loaded = 256 * MIB;
/** Pieces of a memory in nodes are whole 2 MiB, or cut where a page of 64 KiB ends. */
const piece = 2 * MIB;

/** MiB of memory: the usual amount, or one that no block divides. */
export const memorySizes = fc.oneof(
  { withCrossShrink: true },
  fc.constant(1024),
  fc.constantFrom(512, 2048, 4096),
  fc.integer({ min: 260, max: 3000 }),
);

/** MiB of a memory smaller than usual; in a realm it must be larger. */
export const smallSizes = fc.oneof(fc.constantFrom(128, 192), fc.integer({ min: 128, max: 259 }));

/** A hole before it is known how large the memory is. */
const hole = fc.record({
  /** Where it begins, as a part of what lies behind the first 256 MiB. */
  place: fc.integer({ min: 0, max: 999 }),
  /** Bytes that its start and its size are multiples of. */
  unit: fc.constantFrom(2 * MIB, 64 * KIB, 16 * KIB, 4 * KIB),
  units: fc.integer({ min: 1, max: 40 }),
});
type Hole = typeof hole extends fc.Arbitrary<infer T> ? T : never;
export const holeLists = fc.array(hole, { maxLength: 4 });

/**
 * Holes in the first memory, as firmware has them: at its very start, at places of firmware for
 * OP-TEE, or close to what is loaded.
 */
const lowHole = fc.record({
  /** MiB behind the memory's start. */
  place: fc.oneof(fc.constantFrom(0, 1, 62, 63, 127, 132), fc.integer({ min: 0, max: 255 })),
  unit: fc.constantFrom(2 * MIB, 64 * KIB, 16 * KIB, 4 * KIB),
  units: fc.integer({ min: 1, max: 40 }),
  /** Pages by which it is moved. */
  moved: fc.constantFrom(0, 0, 1, 5, 16),
});
type LowHole = typeof lowHole extends fc.Arbitrary<infer T> ? T : never;
export const lowHoleLists = fc.array(lowHole, { minLength: 1, maxLength: 3 });

/** Where the first bank begins, and how large it is, where not with 256 MiB at the start. */
export const firstBanks = fc.record({
  /** 2 MiB before it, also past 4 GiB, where no memory is left for ZONE_DMA32. */
  gap: fc.constantFrom(0, 1, 8, 64, 240, 512, 2048),
  pieces: fc.constantFrom(1, 5, 31, 32, 64, 100, 300),
  /** A hole hides all of it: memory begins where nothing is mapped. */
  hidden: fc.boolean(),
});
type FirstBank = typeof firstBanks extends fc.Arbitrary<infer T> ? T : never;

/**
 * The holes in a memory of that many MiB; those that do not fit are left out, and those that begin
 * where another does.
 */
export function placeHoles(
  holes: readonly Hole[],
  low: readonly LowHole[],
  memory: number,
): MemoryRange[] {
  const end = RAM_BASE + memory * MIB;
  const room = Math.max(0, end - RAM_BASE - loaded);
  const high = holes.map(({ place, unit, units }) => ({
    start: RAM_BASE + loaded + Math.floor((room * place) / 1000 / unit) * unit,
    size: units * unit,
  }));
  const first = low.map(({ place, unit, units, moved }) => ({
    start: RAM_BASE + place * MIB + moved * 4 * KIB,
    size: units * unit,
  }));
  const placed = new Map<number, MemoryRange>();
  for (const hole of [...high, ...first])
    if (hole.start + hole.size <= end && !placed.has(hole.start)) placed.set(hole.start, hole);
  return [...placed.values()];
}

/** Memory in nodes: pieces one after another, with gaps or without. */
const node = fc.record({
  gap: fc.constantFrom(0, 1, 7, 16, 100),
  pieces: fc.integer({ min: 1, max: 300 }),
  /** The next piece is of the same node. */
  joined: fc.boolean(),
  /** Units of 64 KiB by which a border between two nodes without a gap moves into the second. */
  moved: fc.constantFrom(0, 0, 1, 13, 31),
});
type Node = typeof node extends fc.Arbitrary<infer T> ? T : never;
export const nodeLists = fc.oneof(
  { withCrossShrink: true },
  { arbitrary: fc.constant(undefined), weight: 4 },
  { arbitrary: fc.array(node, { minLength: 1, maxLength: 4 }), weight: 1 },
);

/** Memory in nodes: pieces, what of them a hole hides, and the MiB that they span. */
interface PlacedNodes {
  nodes: NonNullable<Machine['nodes']>;
  hidden: MemoryRange[];
  memory: number;
}

/** @param bank the first node; by default it has 256 MiB at the start */
export function placeNodes(list: readonly Node[], bank?: FirstBank): PlacedNodes {
  const { gap: lead, pieces: lowest, hidden } = bank ?? { gap: 0, pieces: 128, hidden: false };
  const start = RAM_BASE + lead * piece;
  const lowestSize = lowest * piece;
  const nodes: MemoryRange[][] = [[{ start, size: lowestSize }]];
  let end = start + lowestSize;
  let joined = false;
  for (const { gap, pieces, moved, joined: next } of list) {
    const size = pieces * piece;
    const before = nodes.at(-1)?.at(-1);
    const shift = gap === 0 && !joined ? moved * 64 * KIB : 0;
    if (before) before.size += shift;
    const range = { start: end + gap * piece + shift, size: size - shift };
    if (joined) nodes.at(-1)?.push(range);
    else nodes.push([range]);
    end += gap * piece + size;
    joined = next;
  }
  return {
    nodes,
    hidden: hidden ? [{ start, size: lowestSize }] : [],
    memory: (end - RAM_BASE) / MIB,
  };
}
