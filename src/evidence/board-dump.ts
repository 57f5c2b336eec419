// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import { geometryOf, levelShift } from '../linux/geometry.ts';
import { findIomem, hidesAddresses, parseIomem } from '../linux/iomem.ts';
import { memstartAlign } from '../linux/kernel-layout.ts';
import { MEMBLOCK_DRIVER_MANAGED } from '../linux/memblock.ts';
import { join, type PhysicalRange, sizeOf } from '../linux/physical-range.ts';
import {
  descriptorOf,
  type Ptdump,
  type PtdumpLevel,
  type PtdumpRun,
  parsePtdump,
} from '../linux/ptdump.ts';
import { first } from '../present.ts';
import type { Granule, LeafRun, Level } from '../vmsa/types.ts';
import type { Board, BoardRange, BoardRegion } from './board.ts';
import { damagedBoard, inArchive, printable } from './board-lines.ts';

/** A board of which only the kernel's own dump of its tables could be had. */
export interface DumpedBoard extends Board {
  /** `uname -r`. */
  release: string;
  /** Bytes; the largest that the borders of all leaves allow. */
  granule: Granule;
  /** vabits_actual. */
  vaBits: number;
  linear: BoardRange;
  /**
   * The kernel half, as far as a dump shows it: bits that it does not show are 0, and `pa` is what
   * the place in the linear region stands for, or 0.
   */
  leaves: LeafRun[];
  /** By /proc/iomem; empty where that hides its addresses. */
  memory: BoardRegion[];
  /**
   * Virtual minus physical address in the linear region; absent where /proc/iomem and the dump do
   * not show it together.
   */
  vaMinusPa?: bigint;
  /** [_text, __init_begin) by /proc/iomem, in bytes; absent where that does not say. */
  kernelCode?: PhysicalRange;
}

/**
 * Levels by the names of the dump. A leaf at PGD lies in a table that stands for a folded PUD:
 * note_page() in arch/arm64/mm/ptdump.c takes the name of the first level.
 */
const levels: Record<PtdumpLevel, Level> = { PGD: 1, P4D: 1, PUD: 1, PMD: 2, PTE: 3 };

/**
 * Reads what an archive has whose only source is debugfs' kernel_page_tables.
 * @param path of the archive
 * @throws PtdiffError(usage) where it is not what a kernel writes: what is wrong, in one sentence
 */
export function dumpedBoard(board: Board, path: string): DumpedBoard {
  try {
    return readDumped(board);
  } catch (error) {
    throw error instanceof PtdiffError ? inArchive(path, error) : error;
  }
}

function readDumped(board: Board): DumpedBoard {
  const { files } = board;
  const release = /^Linux version ([\w.+~-]{1,64}) /.exec(files['/proc/version'] ?? '')?.[1];
  if (release === undefined) throw damagedBoard('version does not name a release');
  const dump = soundDump(files.kernel_page_tables ?? '');
  const granule = granuleOf(dump);
  const { vaBits, linear } = regionOf(dump);
  const leaves = dump.runs.flatMap((run) => leafOf(run));
  const iomem = parseIomem(files['/proc/iomem'] ?? '');
  const memory = memoryOf(iomem);
  const inLinear = leaves.filter(({ va }) => va < linear.end);
  const vaMinusPa = placeOf(inLinear, join(memory), granule);
  if (vaMinusPa !== undefined) for (const leaf of inLinear) leaf.pa = Number(leaf.va - vaMinusPa);
  const [kernelCode] = memory.length > 0 ? findIomem(iomem, 'Kernel code') : [];
  return {
    ...board,
    ...{ release, granule, vaBits, linear, leaves, memory },
    ...(vaMinusPa !== undefined && { vaMinusPa }),
    ...(kernelCode && { kernelCode }),
  };
}

/** The dump, whole and in order. */
function soundDump(text: string): Ptdump {
  const dump = parsePtdump(text);
  const [line] = dump.unreadable;
  if (line !== undefined)
    throw damagedBoard(`line ${line} of kernel_page_tables is none of the kernel's dump`);
  let end = 0n;
  for (const run of dump.runs) {
    if (run.start < end || run.end <= run.start)
      throw damagedBoard(`kernel_page_tables goes back at ${hexText(run.start)}`);
    end = run.end;
  }
  if (end !== 2n ** 64n) throw damagedBoard('kernel_page_tables is cut short');
  return dump;
}

const hexText = (va: bigint): string => `0x${va.toString(16)}`;

/** The largest page size of which every leaf is a whole number of entries. */
function granuleOf({ runs }: Ptdump): Granule {
  const sizes: Granule[] = [65536, 16384, 4096];
  const misfit = (granule: Granule): PtdumpRun | undefined => {
    const geometry = geometryOf(granule);
    return runs.find(({ start, end, level, attributes }) => {
      const entry = 1n << BigInt(levelShift(geometry, attributes ? levels[level] : 3));
      return start % entry !== 0n || end % entry !== 0n;
    });
  };
  const granule = sizes.find((size) => misfit(size) === undefined);
  if (granule !== undefined) return granule;
  const at = hexText(misfit(4096)?.start ?? 0n);
  throw damagedBoard(`the leaves at ${at} in kernel_page_tables begin or end within an entry`);
}

/** The linear region by the dump's markers; the dump begins where it does. */
function regionOf({ runs, markers }: Ptdump): { vaBits: number; linear: BoardRange } {
  const after = (name: string): bigint => {
    const before = markers.find((marker) => marker.name === name)?.before;
    const start = before === undefined ? undefined : runs[before]?.start;
    if (start === undefined) throw damagedBoard(`kernel_page_tables has no '${printable(name)}'`);
    return start;
  };
  const [start, end] = [after('Linear Mapping start'), after('Linear Mapping end')];
  const vaBits = (2n ** 64n - start).toString(2).length - 1;
  if (start !== 2n ** 64n - 2n ** BigInt(vaBits) || vaBits < 36 || vaBits > 52 || end <= start)
    throw damagedBoard(`kernel_page_tables has its linear region at ${hexText(start)}`);
  return { vaBits, linear: { start, end } };
}

function leafOf({ start, end, level: name, attributes }: PtdumpRun): LeafRun[] {
  if (attributes === undefined) return [];
  const level = levels[name];
  const { contiguous, valid } = attributes;
  const bits = descriptorOf(attributes, level);
  const place = { va: start, pa: 0, size: Number(end - start) };
  return [{ ...place, level, contiguous, valid, attributes: bits, tableAttributes: 0 }];
}

/**
 * Memory by /proc/iomem. request_standard_resources() of arch/arm64/kernel/setup.c has 'System RAM'
 * for what memblock has, without NOMAP; add_memory_driver_managed() adds 'System RAM (NAME)'.
 */
function memoryOf(entries: ReturnType<typeof parseIomem>): BoardRegion[] {
  if (hidesAddresses(entries)) return [];
  const regions = findIomem(entries, /^System RAM( \(|$)/).map(({ name, start, end }) => {
    const flags = name === 'System RAM' ? 0 : MEMBLOCK_DRIVER_MANAGED;
    return { start, end, flags, node: 0 };
  });
  return regions.filter(({ end }) => end <= 2 ** 52).sort((a, b) => a.start - b.start);
}

/**
 * What arm64_memblock_init() has chosen (arch/arm64/mm/init.c): memstart_addr is aligned, with KASLR
 * too, and the lowest leaf of the linear region maps the lowest memory, or nearly so where one of
 * them is not as it must be: the place at which most memory has leaves counts. Where that is less
 * than half of all memory, nothing is known.
 */
function placeOf(
  leaves: readonly LeafRun[],
  memory: readonly PhysicalRange[],
  granule: Granule,
): bigint | undefined {
  if (leaves.length === 0 || memory.length === 0) return undefined;
  const align = BigInt(memstartAlign(geometryOf(granule)));
  const difference = first(leaves).va - BigInt(first(memory).start);
  const near = difference - (difference % align);
  let best: { place?: bigint; bytes: number } = { bytes: sizeOf(...memory) / 2 };
  for (const place of [near, near - align, near + align]) {
    const bytes = bytesMapped(leaves, memory, place);
    if (bytes > best.bytes) best = { place, bytes };
  }
  return best.place;
}

/** How much of the memory has leaves if the linear region lies at a place; all ascending. */
function bytesMapped(
  leaves: readonly LeafRun[],
  memory: readonly PhysicalRange[],
  place: bigint,
): number {
  let bytes = 0;
  let next = 0;
  for (const { va, size } of leaves) {
    const start = Number(va - place);
    while ((memory[next]?.end ?? Number.POSITIVE_INFINITY) <= start) next++;
    for (let at = next; (memory[at]?.start ?? start + size) < start + size; at++) {
      const range = memory[at];
      if (range) bytes += Math.min(start + size, range.end) - Math.max(start, range.start);
    }
  }
  return bytes;
}
