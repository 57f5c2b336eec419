// SPDX-License-Identifier: GPL-2.0-only
import { overlap, type PhysicalRange, sizedRange, sizeOf } from '../../linux/physical-range.ts';
import { last } from '../../present.ts';
import { loadPlaces, usualSizes } from '../load-places.ts';
import { leastMemory, memoryRanges, RAM_BASE } from '../memory.ts';
import type { Machine, MemoryRange } from '../types.ts';
import type { BoardFacts, Written } from './facts.ts';
import { type Piece, piecesOf, shrink, unitOf } from './pieces.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

/** What is added to a board that has no piece of memory for a kernel, in bytes. */
const added = 256 * MIB;
/** Most memory of a machine, and as much as a boot can have without taking long, in bytes. */
const largest = 64 * GIB;
const quick = 8 * GIB;
/** guest/monitor/parameters.h. */
const mostNodes = 8;
const monitorUnit = 2 * MIB;
/** Regions of memblock before it can grow (INIT_MEMBLOCK_REGIONS is 128 in mm/memblock.c). */
const mostHoles = 100;

interface Placed {
  nodes: PhysicalRange[];
  holes: PhysicalRange[];
}

/** Pieces at their places, from an address on. */
function place(pieces: readonly Piece[], start: number): Placed {
  const placed: Placed = { nodes: [], holes: [] };
  let at = start;
  let node: PhysicalRange | undefined;
  for (const { kind, size } of pieces) {
    const range = sizedRange(at, size);
    at = range.end;
    if (kind === 'gap') {
      node = undefined;
      continue;
    }
    if (node === undefined) {
      node = { ...range };
      placed.nodes.push(node);
    }
    node.end = range.end;
    if (kind === 'hole') placed.holes.push(range);
  }
  return placed;
}

/** Nodes of whole 2 MiB, which the monitor needs; what that adds at their ends is a hole. */
function wholeNodes({ nodes, holes }: Placed): Placed {
  const rims: PhysicalRange[] = [];
  const whole = nodes.map(({ start, end }) => {
    const node = {
      start: Math.floor(start / monitorUnit) * monitorUnit,
      end: Math.ceil(end / monitorUnit) * monitorUnit,
    };
    rims.push({ start: node.start, end: start }, { start: end, end: node.end });
    return node;
  });
  const all = [...holes, ...rims].filter(({ start, end }) => start < end);
  return { nodes: whole, holes: all.sort((a, b) => a.start - b.start) };
}

/** The part of a range before an address. */
const before = ({ start, end }: PhysicalRange, limit: number): PhysicalRange => ({
  start,
  end: Math.min(end, limit),
});

/** Nodes and holes as far as the machine can have them. @param most nodes */
function fitting(placed: Placed, most: number, changes: string[]): Placed {
  const limit = RAM_BASE + largest;
  const within = placed.nodes
    .filter(({ start }) => start < limit)
    .map((node) => before(node, limit));
  const nodes = within.slice(0, most);
  const gone = sizeOf(...placed.nodes) - sizeOf(...nodes);
  if (gone > 0)
    changes.push(
      `${gone / MIB} MiB at the end are left out: it may have ${largest / GIB} GiB in ${most} banks.`,
    );
  const inside = placed.holes
    .filter((hole) => nodes.some((node) => overlap(node, hole)))
    .map((hole) => before(hole, limit));
  if (inside.length <= mostHoles) return { nodes, holes: inside };
  const kept = new Set([...inside].sort((a, b) => sizeOf(b) - sizeOf(a)).slice(0, mostHoles));
  changes.push(`${inside.length - mostHoles} holes, the smallest ones, are left out.`);
  return { nodes, holes: inside.filter((hole) => kept.has(hole)) };
}

const sized = ({ start, end }: PhysicalRange): MemoryRange => ({ start, size: end - start });

export const address = (value: number): string => `0x${value.toString(16)}`;

type Memory = Pick<Machine, 'memory' | 'holes' | 'nodes'>;

/** A machine's memory in one node, or in several. */
function machineOf({ nodes, holes }: Placed): Memory {
  const memory = (last(nodes).end - RAM_BASE) / MIB;
  const isWhole = nodes.length === 1 && nodes[0]?.start === RAM_BASE;
  return {
    memory,
    holes: holes.map(sized),
    ...(!isWhole && { nodes: nodes.map((node) => [sized(node)]) }),
  };
}

/** Whether a kernel can boot in some memory, wherever in it the monitor loads the kernel. */
function canBoot(placed: Placed, world: Machine['world']): boolean {
  if (placed.nodes.length === 0) return false;
  const machine = { ...machineOf(placed), firmware: 'monitor' as const };
  return (
    loadPlaces(machine, usualSizes) !== undefined &&
    sizeOf(...memoryRanges(machine)) >= leastMemory[world] * MIB
  );
}

/**
 * The memory of a board where the emulator can have it: from 1 GiB on, and as little as it takes.
 * Every border and every hole keeps its place within the largest leaf of the kernel.
 */
export function memoryOf({
  granule,
  present,
  noMap,
  world,
}: Pick<BoardFacts, 'granule' | 'present' | 'noMap' | 'world'>): Written<Memory> {
  const unit = unitOf(granule);
  const pieces = piecesOf(present, noMap, unit);
  if (!pieces.some(({ kind }) => kind === 'ram')) {
    const changes = ['The memory of the board is not known: 1 GiB is taken.'];
    return { made: { memory: 1024, holes: [] }, changes };
  }
  const taken = shrink(pieces, unit, Math.max(quick, unit));
  const less = taken === 0 ? [] : [`${taken / GIB} GiB of memory are left out, in whole units.`];
  const lead = pieces[0]?.kind === 'gap' ? pieces[0].size : 0;
  const start = Math.max(0, Math.ceil((RAM_BASE - lead) / unit)) * unit;
  const cut: string[] = [];
  const placed = fitting(wholeNodes(place(pieces, start)), mostNodes, cut);
  if (canBoot(placed, world))
    return {
      made: machineOf(placed),
      changes: [...movesOf(present, start, unit), ...less, ...cut],
    };
  return withAdded(pieces, present, start, unit, less);
}

/** The same behind memory of the emulator's, into which it loads the kernel. */
function withAdded(
  pieces: readonly Piece[],
  present: readonly PhysicalRange[],
  first: number,
  unit: number,
  less: readonly string[],
): Written<Memory> {
  const boot = sizedRange(RAM_BASE, added);
  const at = (start: number) => wholeNodes(place(pieces, start));
  const isFree = (at(first).nodes[0]?.start ?? 0) >= boot.end;
  const start = isFree ? first : first + unit;
  const cut: string[] = [];
  const placed = fitting(at(start), mostNodes - 1, cut);
  return {
    made: machineOf({ ...placed, nodes: [boot, ...placed.nodes] }),
    changes: [
      ...movesOf(present, start, unit),
      ...less,
      ...cut,
      `${added / MIB} MiB at ${address(RAM_BASE)} are added, into which the emulator loads the kernel: there is too little memory in one piece, or at all.`,
    ],
  };
}

/** Where the board's memory went. */
function movesOf(present: readonly PhysicalRange[], start: number, unit: number): string[] {
  const [first] = present;
  if (first === undefined) return [];
  const from = Math.floor(first.start / unit) * unit;
  if (from === start) return [];
  const to = first.start - from + start;
  return [`Memory from ${address(first.start)} on lies at ${address(to)}.`];
}
