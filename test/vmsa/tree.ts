// SPDX-License-Identifier: GPL-2.0-only
import type t from 'tap';
import { stage1Regime } from '../../src/vmsa/regime.ts';
import type { Granule, SystemRegisters, WalkResult } from '../../src/vmsa/types.ts';
import { walk } from '../../src/vmsa/walk.ts';
import { encodeRegisters, FakeRam, type Setup } from './encode.ts';

export const setup = (changes: Partial<Setup> = {}): Setup => ({
  half: 'ttbr0',
  granule: 4096,
  vaBits: 39,
  wide: 'no',
  asid: 0n,
  ...changes,
});

/** Root, level 2 and level 3 of a 39-bit half with 4K pages, at these addresses, already linked. */
export const ROOT = 0x4000_0000n;
export const TWO = 0x4001_0000n;
export const THREE = 0x4002_0000n;
/** A sound page, block and table descriptor without an address. */
export const PAGE = 0x0060_0000_0000_0703n;
export const BLOCK = 0x0060_0000_0000_0701n;
export const TABLE = 3n;
export const CONTIGUOUS = 1n << 52n;

/** Walks a tree of three linked tables of the granule after `fill` has put entries into it. */
export function walkTree(
  fill: (ram: FakeRam) => void,
  changes: {
    setup?: Partial<Setup>;
    registers?: (registers: SystemRegisters) => Partial<SystemRegisters>;
  } = {},
): WalkResult {
  const made = setup(changes.setup);
  const ram = new FakeRam();
  const entries = made.granule / 8;
  for (const table of [ROOT, TWO, THREE]) ram.add(table, entries);
  ram.set(ROOT, 0, TWO | TABLE);
  ram.set(TWO, 0, THREE | TABLE);
  fill(ram);
  const registers = encodeRegisters(made, ROOT);
  return walk(stage1Regime({ ...registers, ...changes.registers?.(registers) }, made.half), ram);
}

/** A three-level tree for granules whose tables need more than 4K: 16K with 47 bits. */
export const sixteen = { granule: 16384 as Granule, vaBits: 47 };

/** The one fault of a tree; fails when there are more or none. */
export function onlyFault(t: Tap, result: WalkResult, reason: RegExp, place: object = {}): void {
  t.equal(result.malformed.length, 1, `one fault for ${reason}`);
  t.match(result.malformed[0], { reason, ...place });
}
type Tap = Pick<typeof t, 'equal' | 'match'>;
