// SPDX-License-Identifier: GPL-2.0-only
import {
  join,
  type PhysicalRange,
  roundInward,
  roundOutward,
  sizedRange,
  sizeOf,
  subtract,
} from '../../linux/physical-range.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { firstLines } from '../compare-state.ts';
import type { CheckpointContext, Invariant } from '../context.ts';
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
 * address must still be the right one (pfn_valid() users and set_memory_valid() rely on it). Of
 * pages that a region's border cuts, memblock gives away the part that is its own, until
 * memblock_free_all() hands whole pages to the page allocator: they must be mapped so long.
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
  // The memory that they stand for.
  const mapped = leaves.map((run) => sizedRange(byPlace(run, vaMinusPa).pa, run.size));
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
    ...missing(context, mapped, vaMinusPa),
    ...cutPagesMissing(context, mapped),
  ];
};

/** A run with the physical address that its virtual address in the linear region stands for. */
function byPlace(run: LeafRun, vaMinusPa: bigint): LeafRun {
  return { ...run, pa: Number(run.va - vaMinusPa) };
}

function missing(
  context: CheckpointContext,
  mapped: readonly PhysicalRange[],
  vaMinusPa: bigint,
): Finding[] {
  const { ram, granule, evidence } = context;
  // What never held still is not in the archive of a board.
  const unknown = (evidence.unsettled ?? []).map(({ start, end }) => ({
    start: Number(start - vaMinusPa),
    end: Number(end - vaMinusPa),
  }));
  return notMapped(
    context,
    join(ram)
      .flatMap((range) => subtract(roundInward(range, granule), mapped))
      .flatMap((hole) => subtract(hole, unknown)),
    {
      nature: 'ram-not-mapped',
      title: 'RAM is missing from the linear map',
      because:
        'Every page of memblock memory that is not NOMAP has a leaf in the linear region, valid or present-invalid.',
    },
  );
}

function cutPagesMissing(context: CheckpointContext, mapped: readonly PhysicalRange[]): Finding[] {
  const { ram, granule, capture } = context;
  // Every other checkpoint comes after memblock_free_all().
  if (capture.checkpoint !== 'paging_init') return [];
  const cut = join(ram).flatMap((range) => subtract(range, [roundInward(range, granule)]));
  return notMapped(
    context,
    cut.flatMap((range) => subtract(range, mapped)),
    {
      nature: 'cut-page-not-mapped',
      title: 'memory in a page that is partly no-map is missing from the linear map',
      because:
        'memblock_alloc() can still return this memory, and memset() it: the kernel dies then, before it has a console.',
    },
  );
}

function notMapped(
  context: CheckpointContext,
  holes: readonly PhysicalRange[],
  rule: { nature: string; title: string; because: string },
): Finding[] {
  if (holes.length === 0) return [];
  const lines = holes.map((hole) => `  PA ${hex(hole.start)}-${hex(hole.end)}`);
  const heading = `${countText(holes.length, 'hole')}, ${bytesText(sizeOf(...holes))}:`;
  return [violation(context, { name, ...rule }, [heading, ...firstLines(lines)])];
}
