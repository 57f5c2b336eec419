// SPDX-License-Identifier: GPL-2.0-only
import { debugsPageallocOf } from '../../evidence/inferred-free.ts';
import { subtract } from '../../linux/physical-range.ts';
import {
  type Ptdump,
  type PtdumpAttributes,
  type PtdumpLevel,
  parsePtdump,
  ptdumpAttributes,
} from '../../linux/ptdump.ts';
import type { Level } from '../../vmsa/types.ts';
import { firstLines } from '../compare-state.ts';
import { type CheckpointContext, type Invariant, imageVa, type VirtualRange } from '../context.ts';
import { endOf } from '../runs.ts';
import { countText, hex } from '../text.ts';
import { violation } from './violation.ts';

/** A stretch of equal leaves in the dump's terms. */
interface Stretch extends VirtualRange {
  level: PtdumpLevel;
  attributes: PtdumpAttributes;
}

const levelNames: Record<Level, PtdumpLevel> = {
  '-1': 'PGD',
  0: 'P4D',
  1: 'PUD',
  2: 'PMD',
  3: 'PTE',
};

/**
 * The guest's own dump (debugfs kernel_page_tables, arch/arm64/mm/ptdump.c) agrees with the walk
 * from outside about the linear map and the kernel image. It has been wrong before: 15bfba1ad77f
 * (invalid large leaves shown as valid). The dump was taken shortly before the checkpoint, so
 * everything that changes while the kernel runs is left out: vmalloc, the KFENCE pool, the pages of
 * the probes, and all of the linear map under debug_pagealloc.
 */
export const guestDump: Invariant = (context) => {
  const text = context.evidence.files.kernel_page_tables;
  if (context.capture.checkpoint !== 'init' || text === undefined) return [];
  const ranges = steadyRanges(context);
  const theirs = stretchesIn(ranges, dumpStretches(parsePtdump(text)));
  const ours = stretchesIn(ranges, walkStretches(context));
  return [...Map.groupBy(disagreements(ours, theirs), ({ nature }) => nature)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([nature, group]) => {
      const lines = group.map(
        ({ walk, dump }) => `  walk: ${textOf(walk)}\n  dump: ${textOf(dump)}`,
      );
      const because = `The kernel's own dump and the walk from outside differ (${countText(group.length, 'stretch', 'stretches')}):`;
      return violation(
        context,
        {
          name: 'guest-dump',
          nature,
          title: "the kernel's own page table dump is not what the tables say",
          because,
        },
        firstLines(lines, 4),
      );
    });
};

/** Ranges that both must show equally, ascending. */
function steadyRanges(context: CheckpointContext): VirtualRange[] {
  const { linear, image, unsteady, evidence, granule } = context;
  const { vaMinusPa } = linear;
  const pages =
    vaMinusPa === undefined
      ? []
      : evidence.probes.flatMap(({ pages }) =>
          pages.map((pa) => ({
            start: BigInt(pa) + vaMinusPa,
            end: BigInt(pa + granule) + vaMinusPa,
          })),
        );
  const changing = vaMinusPa === undefined || debugsPageallocOf(context.capture);
  const holes = [...unsteady, ...pages].sort((a, b) => Number(a.start - b.start));
  const whole = [
    ...(changing ? [] : [{ start: linear.start, end: linear.end }]),
    { start: imageVa(image, '_text'), end: imageVa(image, '_end') },
  ];
  return whole.flatMap((range) => subtract(range, holes));
}

function dumpStretches({ runs }: Ptdump): Stretch[] {
  return runs.flatMap(({ start, end, level, attributes }) =>
    attributes ? [{ start, end, level, attributes: comparable(attributes) }] : [],
  );
}

function walkStretches({ capture, regime }: CheckpointContext): Stretch[] {
  // note_page() of arch/arm64/mm/ptdump.c uses the PGD's name for a folded P4D or PUD: with three
  // levels a block of 1 GiB is an entry of the root.
  const nameOf = (level: Level): PtdumpLevel =>
    level === regime.startLevel && level < 2 ? 'PGD' : levelNames[level];
  return capture.ttbr1.leaves.map((run) => ({
    start: run.va,
    end: endOf(run),
    level: nameOf(run.level),
    attributes: comparable(ptdumpAttributes(run.attributes)),
  }));
}

/** For an entry that is not valid, the block column differs between releases. */
function comparable(attributes: PtdumpAttributes): PtdumpAttributes {
  return attributes.valid ? attributes : { ...attributes, block: false };
}

/** The parts of stretches that lie in the ranges; both ascending. */
function stretchesIn(ranges: readonly VirtualRange[], stretches: readonly Stretch[]): Stretch[] {
  return ranges.flatMap((range) =>
    stretches.flatMap((stretch) => {
      const start = stretch.start < range.start ? range.start : stretch.start;
      const end = stretch.end > range.end ? range.end : stretch.end;
      return start < end ? [{ ...stretch, start, end }] : [];
    }),
  );
}

/** One stretch of addresses on which the two disagree; one of them may have nothing there. */
interface Disagreement {
  nature: string;
  walk?: Stretch;
  dump?: Stretch;
}

const isBelow = (stretch: Stretch | undefined, at: bigint): boolean =>
  stretch !== undefined && stretch.end <= at;

/** The part of a stretch that is in [start, end); the stretch does not end before it. */
const part = (stretch: Stretch | undefined, start: bigint, end: bigint): Stretch | undefined =>
  stretch && stretch.start <= start ? { ...stretch, start, end } : undefined;

/** Where the two lists differ, by one merge over both. */
function disagreements(ours: readonly Stretch[], theirs: readonly Stretch[]): Disagreement[] {
  const found: Disagreement[] = [];
  const borders = [...new Set([...ours, ...theirs].flatMap(({ start, end }) => [start, end]))].sort(
    (a, b) => Number(a - b),
  );
  let w = 0;
  let d = 0;
  const [first, ...ends] = borders;
  if (first === undefined) return found;
  let start = first;
  for (const end of ends) {
    while (isBelow(ours[w], start)) w++;
    while (isBelow(theirs[d], start)) d++;
    const walk = part(ours[w], start, end);
    const dump = part(theirs[d], start, end);
    start = end;
    if (!walk && !dump) continue;
    const nature =
      walk && dump ? differences(walk, dump).join('+') : walk ? 'not-in-dump' : 'only-in-dump';
    if (nature !== '') found.push({ nature, walk, dump });
  }
  return found;
}

function differences(a: Stretch, b: Stretch): string[] {
  const names: string[] = a.level === b.level ? [] : ['level'];
  for (const name of new Set([...Object.keys(a.attributes), ...Object.keys(b.attributes)])) {
    const key = name as keyof PtdumpAttributes;
    if (a.attributes[key] !== b.attributes[key]) names.push(name);
  }
  return names;
}

function textOf(stretch: Stretch | undefined): string {
  if (!stretch) return 'nothing';
  const words = Object.entries(stretch.attributes).flatMap(([name, value]) =>
    value === true ? name : value || [],
  );
  return `${hex(stretch.start)}-${hex(stretch.end)} ${stretch.level} ${words.join(' ')}`;
}
