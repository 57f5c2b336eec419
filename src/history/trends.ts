// SPDX-License-Identifier: GPL-2.0-only
import { isWhole } from '../diff/boot-end.ts';
import { first } from '../present.ts';
import { byTime } from './order-kernels.ts';
import { median } from './scenario-life.ts';
import type { Look, RunMark } from './types.ts';

/** How long the cases of one run took, compared with their usual time. */
interface PaceOfRun {
  run: RunMark;
  /** 1 is usual, 2 is twice as long; the median over the cases. */
  ratio: number;
  cases: number;
}

/**
 * Boot times across runs. Runs boot different cases, so each case is compared with the median of
 * its own times. Cases that were looked at only once say nothing. Neither do errors and boots that
 * died, whose time is that of a watchdog.
 */
export function paceOfRuns(looks: readonly Look[]): PaceOfRun[] {
  const timed = looks.filter((look) => isWhole(look) && look.seconds > 0).sort(byTime);
  const usual = new Map(
    [...Map.groupBy(timed, (look) => look.case)]
      .filter(([, group]) => group.length > 1)
      .map(([name, group]) => [name, median(group.map(({ seconds }) => seconds)) ?? 0]),
  );
  const ratios = timed.flatMap((look) => {
    const own = usual.get(look.case);
    return own === undefined ? [] : [{ run: look.run, ratio: look.seconds / own }];
  });
  return [...Map.groupBy(ratios, ({ run }) => run.id).values()].map((group) => ({
    run: first(group).run,
    ratio: median(group.map(({ ratio }) => ratio)) ?? 1,
    cases: group.length,
  }));
}
