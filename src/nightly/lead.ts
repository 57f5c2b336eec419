// SPDX-License-Identifier: GPL-2.0-only
import { shows } from '../diff/boot-end.ts';
import { byTime } from '../history/order-kernels.ts';
import type { Look } from '../history/types.ts';
import type { WatchedFinding, WatchedLooks } from './judge-night.ts';

/**
 * Where the search for the origin of a new finding starts: two kernels of one watch, by their
 * specs.
 */
export interface Lead {
  finding: string;
  scenario: string;
  good: string;
  bad: string;
  /** Boots of each kernel before it counts as good, where a single boot may miss the finding. */
  repeat?: number;
}

/**
 * A finding that shows in every third boot is missed by three boots in 30 % of cases; bisect
 * reports how certain its answer is.
 */
const boots = 3;

/**
 * The part of a kernel's spec before the version or the commit; kernels with the same part are on
 * one line.
 */
const lineOf = (spec: string): string =>
  spec.replace(/@[0-9a-f]{40}(?=,|$)/, '@').replace(/^(debian:)[^:]*/, '$1');

/**
 * A case that shows a finding, and the last kernel of the same watch that did not show it in the
 * same scenario.
 * @returns undefined where the watch has no such kernel, or where there is nothing to search
 * between the two
 */
export function leadOf(
  { id, cases, unsteady }: WatchedFinding,
  { before, tonight, again }: WatchedLooks,
): Lead | undefined {
  const shown = [...again, ...tonight].find((look) => cases.includes(look.case) && shows(look, id));
  if (!shown) return undefined;
  const { kernel, scenario } = shown;
  if (!/^(debian|git):/.test(kernel.spec)) return undefined;
  const isGood = (look: Look) =>
    look.scenario.hash === scenario.hash &&
    shows(look, id) === false &&
    lineOf(look.kernel.spec) === lineOf(kernel.spec) &&
    look.kernel.spec !== kernel.spec;
  const good = [...before].sort(byTime).findLast(isGood);
  return (
    good && {
      finding: id,
      scenario: scenario.name,
      good: good.kernel.spec,
      bad: kernel.spec,
      ...(unsteady && { repeat: boots }),
    }
  );
}
