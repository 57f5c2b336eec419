// SPDX-License-Identifier: GPL-2.0-only
import {
  join,
  roundInward,
  roundOutward,
  sizedRange,
  sizeOf,
  subtract,
} from '../../linux/physical-range.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { firstLines } from '../compare-state.ts';
import type { Invariant } from '../context.ts';
import { partsOutside } from '../physical.ts';
import { runsIn } from '../runs.ts';
import { bytesText, countText, hex } from '../text.ts';
import type { Finding } from '../types.ts';
import { leavesViolation, violation } from './violation.ts';

const name = 'linear-map-is-ram';

/**
 * The linear region maps every page of RAM exactly once, at PA + offset, and nothing else:
 * map_mem() in arch/arm64/mm/mmu.c walks for_each_mem_range(), which leaves NOMAP memory out;
 * __phys_to_virt() is linear. Leaves that are present but invalid count as mapped: their output
 * address must still be the right one (pfn_valid() users and set_memory_valid() rely on it). Pages
 * that a region's border cuts may or may not be mapped: the rounding of borders has changed.
 */
export const ramMappedOnce: Invariant = (context) => {
  const { linear, ram, added = [], granule, capture } = context;
  const { vaMinusPa } = linear;
  if (vaMinusPa === undefined) return [];
  const leaves = runsIn(capture.ttbr1.leaves, linear.start, linear.end);
  const right = (run: LeafRun) => run.va - BigInt(run.pa) === vaMinusPa;
  const wrong = leaves.filter((run) => !right(run));
  // The virtual address decides whether a page is RAM's; the leaf decides whether it maps the right
  // one.
  const outward = join([...ram, ...added].map((range) => roundOutward(range, granule)));
  const stray = leaves.flatMap((run) => partsOutside(byPlace(run, vaMinusPa), outward));
  return [
    ...leavesViolation(
      context,
      {
        name,
        nature: 'wrong-address',
        title: 'linear map leaves point to another address than VA - offset',
        because: `In the linear region PA must be VA - ${hex(vaMinusPa)} (__virt_to_phys_nodebug).`,
      },
      wrong,
    ),
    ...leavesViolation(
      context,
      {
        name,
        nature: 'not-ram',
        title: 'the linear region maps addresses that memblock does not list as mappable RAM',
        because:
          'map_mem() maps for_each_mem_range() and nothing else: these leaves lie where no RAM is, or where it is NOMAP.',
      },
      stray,
    ),
    ...missing(
      context,
      leaves.map((run) => byPlace(run, vaMinusPa)),
    ),
  ];
};

/** A run with the physical address that its virtual address in the linear region stands for. */
function byPlace(run: LeafRun, vaMinusPa: bigint): LeafRun {
  return { ...run, pa: Number(run.va - vaMinusPa) };
}

/** @param leaves with the physical addresses that their virtual addresses stand for */
function missing(context: Parameters<Invariant>[0], leaves: readonly LeafRun[]): Finding[] {
  const { ram, granule } = context;
  const mapped = leaves.map(({ pa, size }) => sizedRange(pa, size));
  const holes = join(ram).flatMap((range) => subtract(roundInward(range, granule), mapped));
  if (holes.length === 0) return [];
  const bytes = sizeOf(...holes);
  const lines = holes.map((hole) => `  PA ${hex(hole.start)}-${hex(hole.end)}`);
  const rule = {
    name,
    nature: 'ram-not-mapped',
    title: 'RAM is missing from the linear map',
    because:
      'Every page of memblock memory that is not NOMAP has a leaf in the linear region, valid or present-invalid.',
  };
  const heading = `${countText(holes.length, 'hole')}, ${bytesText(bytes)}:`;
  return [violation(context, rule, [heading, ...firstLines(lines)])];
}
