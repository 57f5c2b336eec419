// SPDX-License-Identifier: GPL-2.0-only
import { attributesText, levelText, placeText } from '../../linux/format-ptdump.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { firstLines } from '../compare-state.ts';
import type { CheckpointContext } from '../context.ts';
import { describeLeaf } from '../describe-leaf.ts';
import { findingId } from '../finding-id.ts';
import { endOf, entriesOf } from '../runs.ts';
import { bytesText, countText, detailOf, hex } from '../text.ts';
import type { Finding } from '../types.ts';

/** What a violation says in addition to the leaves that show it. */
export interface Rule {
  /** Fixed name of the invariant. */
  name: string;
  /** How it was broken, in fixed words: rule and nature make the id. */
  nature: string;
  /** One line for a list. */
  title: string;
  /** Why this is wrong for every kernel. */
  because: string;
}

/** A finding of kind invariant with lines of evidence. */
export function violation(
  context: CheckpointContext,
  rule: Rule,
  lines: readonly string[],
): Finding {
  const { checkpoint } = context.capture;
  return {
    id: findingId('invariant', [rule.name, rule.nature], checkpoint),
    kind: 'invariant',
    checkpoint,
    title: rule.title,
    detail: detailOf([rule.because, ...lines]),
  };
}

/** One finding for all leaves that break a rule, or none if there are none. */
export function leavesViolation(
  context: CheckpointContext,
  rule: Rule,
  runs: readonly LeafRun[],
): Finding[] {
  if (runs.length === 0) return [];
  const entries = runs.reduce((sum, run) => sum + entriesOf(run, context.granule), 0);
  const bytes = runs.reduce((sum, run) => sum + run.size, 0);
  const lines = runs.map((run) => leafLine(context, run));
  return [
    violation(context, rule, [
      `${countText(entries, 'leaf', 'leaves')}, ${bytesText(bytes)}:`,
      ...firstLines(lines),
    ]),
  ];
}

/** A leaf as the walk found it, or as far as the kernel's own dump shows it. */
function leafLine({ regime, dumped }: CheckpointContext, run: LeafRun): string {
  return dumped
    ? `  ${placeText(run)} ${levelText(run)} ${attributesText(regime, run)}`
    : `  ${hex(run.va)}-${hex(endOf(run))} → PA ${hex(run.pa)}: ${describeLeaf(regime, run)}`;
}
