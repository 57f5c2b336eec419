// SPDX-License-Identifier: GPL-2.0-only
import { contains, join, sizedRange } from '../../linux/physical-range.ts';
import { first } from '../../present.ts';
import type { TablePage } from '../../vmsa/types.ts';
import { firstLines } from '../compare-state.ts';
import type { CheckpointContext, Invariant } from '../context.ts';
import { slug } from '../finding-id.ts';
import { countText, hex } from '../text.ts';
import type { Finding } from '../types.ts';
import { violation } from './violation.ts';

const name = 'sound-tables';

/**
 * The tables obey the architecture and belong to the kernel: no reserved descriptor, no partial,
 * misaligned or inconsistent contiguous group (DDI 0487 D8.3, D8.7.1: the walk reports all of them
 * as malformed), no table page outside RAM (early_pgtable_alloc() and __pgd_pgtable_alloc() in
 * arch/arm64/mm/mmu.c take them from memory), and in the linear region no page that serves as a
 * table twice (only KASAN's shadow, which is elsewhere, shares tables).
 */
export const soundTables: Invariant = (context) => [
  ...malformed(context),
  ...misplaced(context),
  ...shared(context),
];

function malformed(context: CheckpointContext): Finding[] {
  const { capture, regime, userRegime } = context;
  const faults = [
    ...regime.malformed,
    ...capture.ttbr1.malformed,
    ...(userRegime?.malformed ?? []),
    ...(capture.ttbr0?.malformed ?? []),
  ];
  const byReason = Map.groupBy(faults, ({ reason }) => slug(reason));
  return [...byReason]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([nature, group]) => {
      const lines = group.map(
        ({ va, level, at, descriptor, reason }) =>
          `  ${hex(va)} level ${level}${at === undefined ? '' : ` at PA ${hex(at)}`}: ${hex(descriptor)} ${reason}`,
      );
      const because = `The walk met ${countText(group.length, 'encoding')} that the architecture reserves or does not allow:`;
      return violation(
        context,
        { name, nature, title: `malformed: ${first(group).reason}`, because },
        firstLines(lines),
      );
    });
}

function misplaced(context: CheckpointContext): Finding[] {
  const { capture, granule } = context;
  const ram = join([...context.ram, ...(context.added ?? [])]);
  const tables = [...capture.ttbr1.tables, ...(capture.ttbr0?.tables ?? [])].filter(
    ({ pa }) => !contains(ram, sizedRange(Math.floor(pa / granule) * granule, granule)),
  );
  const because = 'Table pages come from memblock or the page allocator.';
  return report(context, tables, {
    name,
    nature: 'outside-ram',
    title: 'a table page lies outside RAM',
    because,
  });
}

function shared(context: CheckpointContext): Finding[] {
  const { capture, linear } = context;
  // The kernel half begins with the linear region.
  const inRegion = capture.ttbr1.tables.filter(({ va }) => va < linear.end);
  if (new Set(inRegion.map(({ pa }) => pa)).size === inRegion.length) return [];
  const twice = [...Map.groupBy(inRegion, ({ pa }) => pa).values()]
    .filter((group) => group.length > 1)
    .flat();
  const because = 'Each table of the linear region has its own page.';
  return report(context, twice, {
    name,
    nature: 'shared',
    title: 'a page serves as two tables of the linear map',
    because,
  });
}

function report(
  context: CheckpointContext,
  tables: readonly TablePage[],
  rule: Parameters<typeof violation>[1],
): Finding[] {
  if (tables.length === 0) return [];
  const lines = tables.map(
    ({ pa, level, va }) => `  table at PA ${hex(pa)}, level ${level}, for VA ${hex(va)}`,
  );
  return [violation(context, rule, firstLines(lines))];
}
