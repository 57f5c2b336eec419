// SPDX-License-Identifier: GPL-2.0-only

import { didNotComplete, isBootEnd } from '../../diff/boot-end.ts';
import { notPredicted } from '../../diff/judge-tables.ts';
import type { CaseResult, Finding } from '../../diff/types.ts';
import { checkpointNames, earlyEnd, splitCheckpoints } from '../../evidence/capture.ts';
import { depthOf } from '../../scenario/depth.ts';

/**
 * One thing that was judged in a case. It has the same name in every case, so that a server can
 * track it over time.
 */
export interface Check {
  name: string;
  /**
   * `known`: all its findings are documented known issues. `skipped`: the boot did not get there,
   * or was not to. `unpredicted`: there is nothing to compare with, as with a board whose kernel is
   * not to be had.
   */
  outcome: 'pass' | 'fail' | 'known' | 'skipped' | 'unpredicted';
  findings: Finding[];
}

const log = 'kernel-log';
const end = 'boot';
/** Only of a recorded boot. */
const updates = 'table-updates';

/**
 * In boot order: what was compared with the prediction, what holds under any logic, what the kernel
 * logged.
 */
const checkNames: readonly string[] = [
  ...checkpointNames.flatMap((checkpoint) => [
    `prediction@${checkpoint}`,
    `invariants@${checkpoint}`,
  ]),
  'prediction@probes',
  log,
  end,
];

function checkOf({ kind, checkpoint, id }: Finding): string {
  if (kind === 'splat') return isBootEnd(id) ? end : log;
  if (kind === 'update') return updates;
  const rules = kind === 'mismatch' ? 'prediction' : 'invariants';
  return `${rules}@${checkpoint ?? (kind === 'mismatch' ? 'probes' : 'boot')}`;
}

function reached(name: string, result: CaseResult): boolean {
  const early = depthOf(result) === 'early';
  // A kernel that died may have been about to complain, and one that was stopped early, too.
  if (name === log) return !didNotComplete(result) && !early;
  if (name === end) return !early;
  const [rules, checkpoint] = name.split('@');
  if (rules !== 'prediction' && rules !== 'invariants') return true;
  const needed = checkpoint === 'probes' ? 'init' : checkpoint;
  return checkpointNames.every(
    (known) => known !== needed || result.linearMap[known] !== undefined,
  );
}

/**
 * Not every kernel has linear_map_maybe_split_to_ptes() and its checkpoints, and older results have
 * none at smp_cpus_done(): a boot without them is not reported as having skipped them.
 */
function isRare(name: string): boolean {
  return [...splitCheckpoints, earlyEnd].some((checkpoint) => name.endsWith(`@${checkpoint}`));
}

/** A board was looked at in operation alone, and a boot is never looked at then. */
function namesFor({ linearMap }: CaseResult): readonly string[] {
  const isBoard = linearMap.live !== undefined;
  return checkNames.filter((name) => name.endsWith('@live') === isBoard);
}

function outcomeOf(
  name: string,
  findings: readonly Finding[],
  result: CaseResult,
): Check['outcome'] {
  if (findings.length === 0) {
    const isBlind = name === 'prediction@live' && result.symbols.grade === notPredicted;
    return isBlind ? 'unpredicted' : reached(name, result) ? 'pass' : 'skipped';
  }
  return findings.every(({ known }) => known !== undefined) ? 'known' : 'fail';
}

/**
 * The checks of a case. A case that ended in `error` proves nothing: only its checks with findings
 * are kept, and none counts as passed.
 */
export function checksOf(result: CaseResult): Check[] {
  const groups = Map.groupBy(result.findings, checkOf);
  const all = [...namesFor(result), ...(result.updates === undefined ? [] : [updates])];
  const names = [...all, ...[...groups.keys()].filter((name) => !all.includes(name))];
  return names
    .map((name) => {
      const findings = groups.get(name) ?? [];
      return { name, outcome: outcomeOf(name, findings, result), findings };
    })
    .filter(({ name, outcome }) => outcome !== 'skipped' || !isRare(name))
    .filter(({ findings }) => result.verdict !== 'error' || findings.length > 0);
}
