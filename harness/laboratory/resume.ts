// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readRunRecord, runFiles } from '../../results/run-folder.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { RunRecord } from '../../src/report/types.ts';
import type { Variation } from '../../src/scenario/variation.ts';
import { stableJson } from '../../src/stable-json.ts';

/**
 * The earlier question of an output folder in which a run was started.
 * @throws PtdiffError(usage) when this command has another question: each folder has only one
 */
export function resumedAsk(
  out: string,
  {
    kernels,
    scenarios,
    variation,
  }: { kernels: string[]; scenarios: string[]; variation?: Variation },
): RunRecord | undefined {
  if (!existsSync(join(out, runFiles.run))) return undefined;
  const before = readRunRecord(out);
  const same = (now: string[], then: string[]): boolean =>
    now.length === 0 || String(now) === String(then);
  const { asked } = before;
  const sameVariation =
    variation === undefined || stableJson(variation) === stableJson(asked.variation ?? {});
  if (same(kernels, asked.kernels) && same(scenarios, asked.scenarios) && sameVariation)
    return before;
  throw new PtdiffError(
    'usage',
    `${out} holds a run of other kernels, scenarios or seeds; name another --out, or repeat that run's options.`,
  );
}

/**
 * @throws PtdiffError(usage) when kernels, emulator or guest are no longer those of the folder's
 * results
 */
export function checkResumed(before: RunRecord, now: RunRecord, out: string): void {
  const parts = ({ emulator, initramfs, monitor, kernels }: RunRecord): [string, string][] => [
    ['emulator', emulator.sha256],
    ['guest program', initramfs.sha256],
    ...(monitor ? [['realm monitor', monitor.sha256] as [string, string]] : []),
    ...kernels.map(({ spec, sha256 }): [string, string] => [spec, sha256]),
  ];
  const then = new Map(parts(before));
  const changed = parts(now).find(([name, sha256]) => then.has(name) && then.get(name) !== sha256);
  if (!changed) return;
  throw new PtdiffError(
    'usage',
    `The ${changed[0]} is not the one that ${out} was started with; start a new --out.`,
  );
}
