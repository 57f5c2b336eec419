// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';
import { RAM_BASE } from '../memory.ts';
import type { Machine, MemoryRange } from '../types.ts';

const KIB = 1024;
const MIB = 2 ** 20;
/** The boot loader needs so much of the memory's start (see scenarioFileSchema), in bytes. */
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
 * The holes in a memory of that many MiB; those that do not fit are left out, and those that begin
 * where another does.
 */
export function placeHoles(holes: readonly Hole[], memory: number): MemoryRange[] {
  const room = memory * MIB - loaded;
  const placed = new Map<number, MemoryRange>();
  for (const { place, unit, units } of holes) {
    const offset = Math.floor((room * place) / 1000 / unit) * unit;
    const start = RAM_BASE + loaded + offset;
    const size = units * unit;
    if (offset + size <= room && !placed.has(start)) placed.set(start, { start, size });
  }
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

/** The nodes, of which the first begins with what the boot loader needs; and the MiB they span. */
export function placeNodes(list: readonly Node[]): {
  nodes: NonNullable<Machine['nodes']>;
  memory: number;
} {
  const nodes: MemoryRange[][] = [[{ start: RAM_BASE, size: loaded }]];
  let end = RAM_BASE + loaded;
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
  return { nodes, memory: (end - RAM_BASE) / MIB };
}
