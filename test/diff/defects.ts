// SPDX-License-Identifier: GPL-2.0-only
/**
 * Defects for the invariants to find: ways to break a sound capture, and the check that each gives
 * exactly its ids.
 */

import type { Test } from 'tap';
import type { CheckpointContext } from '../../src/diff/context.ts';
import { invariants } from '../../src/diff/invariants/index.ts';
import { given } from '../given.ts';
import {
  KiB,
  linearOf,
  MiB,
  rewrite,
  run,
  soundContext,
  vmalloc,
  withAttributes,
} from './synthetic.ts';

export function idsOf(context: CheckpointContext): string[] {
  return invariants.flatMap((invariant) => invariant(context)).map(({ id }) => id);
}

/** Somewhere in RAM that is neither image nor table. */
export const plain = (context: CheckpointContext) =>
  linearOf(context, given(context.ram[0]).start + 40 * MiB);
export const imageVa = (
  context: CheckpointContext,
  symbol: keyof CheckpointContext['image']['symbols'],
) => context.image.symbols[symbol] + context.image.slide;
export const setPlain = (change: (attributes: bigint) => bigint) => (context: CheckpointContext) =>
  rewrite(context, plain(context), 4 * KiB, (leaf) =>
    withAttributes(leaf, change(leaf.attributes)),
  );
export const setVmalloc =
  (change: (attributes: bigint) => bigint) => (context: CheckpointContext) =>
    rewrite(context, vmalloc, 4 * KiB, (leaf) => withAttributes(leaf, change(leaf.attributes)));
export const addKernel =
  (va: bigint, pa: (context: CheckpointContext) => number, attributes: bigint) =>
  (context: CheckpointContext) =>
    context.capture.ttbr1.leaves.push(run(va, pa(context), 4 * KiB, attributes));
export const addUser =
  (pa: (context: CheckpointContext) => number, attributes: bigint) =>
  (context: CheckpointContext) =>
    context.capture.ttbr0?.leaves.push(run(0x50_0000n, pa(context), 4 * KiB, attributes));
export const ramPlus = (offset: number) => (context: CheckpointContext) =>
  given(context.ram[0]).start + offset;

/** One defect: what is broken, how, and exactly the ids that must appear. */
type Defect = [name: string, breakIt: (context: CheckpointContext) => void, ids: string[]];

/**
 * A test for each defect, which must give the same ids on a machine of another size, place and
 * slide.
 */
export function checkDefects(t: Test, defects: Defect[]): void {
  for (const [name, breakIt, ids] of defects) {
    t.test(name, (t) => {
      const context = soundContext();
      breakIt(context);
      t.same(idsOf(context), ids, 'exactly this finding');
      const elsewhere = soundContext({
        ramStart: 0x8_8000_0000,
        ramSize: 512 * MiB,
        slide: 0x1234_0000n,
      });
      breakIt(elsewhere);
      t.same(idsOf(elsewhere), ids, 'the same id on a machine of another size, place and slide');
      for (const { detail, kind } of invariants.flatMap((invariant) => invariant(context))) {
        t.equal(kind, 'invariant');
        t.ok(
          detail.split('\n').every((line) => line.length <= 100),
          'detail fits 100 columns',
        );
      }
      t.end();
    });
  }
}
