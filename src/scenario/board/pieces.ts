// SPDX-License-Identifier: GPL-2.0-only
import {
  join,
  type PhysicalRange,
  roundInward,
  roundOutward,
  subtract,
} from '../../linux/physical-range.ts';

const GIB = 2 ** 30;
/** A scenario's ranges are of whole pages. */
const page = 4096;

/**
 * A part of the physical address space of a board: memory that the kernel maps; a hole in it that
 * it does not map (NOMAP, or nothing at all); or a gap so large that it lies between two banks.
 */
export interface Piece {
  kind: 'ram' | 'hole' | 'gap';
  size: number;
}

/**
 * The parts of a board's memory, from the last border of `unit` bytes before it on. A gap below
 * `unit` bytes is a hole: for the linear map that is the same.
 */
export function piecesOf(
  present: readonly PhysicalRange[],
  noMap: readonly PhysicalRange[],
  unit: number,
): Piece[] {
  const whole = present.map((range) => roundInward(range, page));
  const banks = join(whole.filter(({ start, end }) => start < end));
  const holes = join(noMap.map((range) => roundOutward(range, page)));
  const pieces: Piece[] = [];
  const add = (kind: Piece['kind'], size: number): void => {
    const before = pieces.at(-1);
    if (size <= 0) return;
    if (before?.kind === kind) before.size += size;
    else pieces.push({ kind, size });
  };
  let at = Math.floor((banks[0]?.start ?? 0) / unit) * unit;
  const upTo = (end: number, kind: Piece['kind']): void => {
    add(kind, end - at);
    at = Math.max(at, end);
  };
  for (const [index, bank] of banks.entries()) {
    upTo(bank.start, index > 0 && bank.start - at < unit ? 'hole' : 'gap');
    for (const ram of subtract(bank, holes)) {
      upTo(ram.start, 'hole');
      upTo(ram.end, 'ram');
    }
    upTo(bank.end, 'hole');
  }
  return pieces;
}

/** Bytes by which a piece can shrink and keep its place within `unit`, and one whole unit. */
const spare = ({ size }: Piece, unit: number): number =>
  Math.max(0, Math.floor((size - unit) / unit)) * unit;

/**
 * Takes whole units out of gaps and holes, and out of memory until at most `most` bytes of it are left: the
 * largest pieces first. Every border keeps its place within a unit, so that the kernel makes the
 * same leaves around it.
 * @returns how many bytes of memory were taken out
 */
export function shrink(pieces: Piece[], unit: number, most: number): number {
  for (const piece of pieces) {
    if (piece.kind !== 'ram') piece.size -= spare(piece, unit);
  }
  const ram = pieces.filter(({ kind }) => kind === 'ram').sort((a, b) => b.size - a.size);
  const total = ram.reduce((sum, { size }) => sum + size, 0);
  let over = Math.ceil((total - most) / unit) * unit;
  let taken = 0;
  for (const piece of ram) {
    const less = Math.min(Math.max(0, over), spare(piece, unit));
    piece.size -= less;
    over -= less;
    taken += less;
  }
  return taken;
}

/** What the largest leaves of a kernel are aligned to: no border moves by less. */
export function unitOf(granule: number): number {
  // Blocks of 1 GiB with 4K pages, contiguous groups of 1 GiB with 16K, and of 16 GiB with 64K.
  return granule === 65536 ? 16 * GIB : GIB;
}
