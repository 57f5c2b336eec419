// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { type LoadedSide, loadSide } from '../../harness/laboratory/compare-sides.ts';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { runStored } from '../../harness/laboratory/run-stored.ts';
import { storeFile } from '../../harness/laboratory/store-file.ts';
import { onHost, writeText } from '../../host/host-file.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { say } from '../../host/say.ts';
import type { SeriesCommit } from '../../images/source/series.ts';
import type { SeriesRow } from '../compare/series.ts';
import { seriesDifferences } from '../compare/series.ts';
import { PtdiffError } from '../errors.ts';
import { formatSeries, type SeriesReport } from '../report/compare/series-text.ts';
import { plainLine } from '../report/plain-text.ts';
import { stableJson } from '../stable-json.ts';
import type { CompareOptions } from './compare-options.ts';
import { compareSides, writeComparison } from './compare-report.ts';
import { exitCodes } from './exit-codes.ts';
import { mannerOf } from './manner-options.ts';

/**
 * The Image of each commit, or why there is none: a problem of one commit does not end the series.
 */
async function imageOf(
  { spec, id }: SeriesCommit,
  signal: AbortSignal,
): Promise<{ sha256: string } | { reason: string }> {
  try {
    return { sha256: (await loadKernel(spec, { progress: say, signal })).image.sha256 };
  } catch (error) {
    if (!(error instanceof PtdiffError) || error.fault !== 'image') throw error;
    say(`${id.slice(0, 12)}: ${error.message}`);
    return { reason: error.message };
  }
}

/** Boots the kernel of one commit, or continues where an earlier call stopped. */
async function bootCommit(
  { spec }: SeriesCommit,
  out: string,
  options: CompareOptions,
  signal: AbortSignal,
): Promise<LoadedSide> {
  const { jobs, scenario = [], store } = options;
  const scenarios = scenario.length > 0 ? scenario : ['telling'];
  const request = {
    kernels: [spec],
    scenarios,
    jobs,
    out,
    ...mannerOf(options),
  };
  await runStored(request, storeFile(store), signal);
  signal.throwIfAborted();
  return loadSide(spec, out, undefined, []);
}

/**
 * Builds every commit, boots every Image once, and compares each with the base (the first commit)
 * and with its predecessor.
 * @throws PtdiffError(image) when the base itself is not available: there is nothing to compare
 * with
 */
export async function runSeries(
  commits: readonly SeriesCommit[],
  out: string,
  options: CompareOptions,
  signal: AbortSignal,
): Promise<{ rows: SeriesRow[]; scenarios: number }> {
  const { farm } = mannerOf(options);
  if (farm) {
    const { buildOnFarm } = await import('../../harness/laboratory/farm/build-on-farm.ts');
    const specs = commits.map(({ spec }) => spec);
    await buildOnFarm(specs, farm, signal);
  }
  const rows: SeriesRow[] = [];
  const sides = new Map<string, { index: number; side: LoadedSide }>();
  let before: LoadedSide | undefined;
  let base: LoadedSide | undefined;
  for (const [index, commit] of commits.entries()) {
    const { id, subject } = commit;
    const image = await imageOf(commit, signal);
    signal.throwIfAborted();
    if ('reason' in image) {
      if (index === 0)
        throw new PtdiffError('image', `The base of the series cannot be used: ${image.reason}`);
      rows.push({ id, subject, kernel: { state: 'unavailable', reason: image.reason } });
      continue;
    }
    const { sha256 } = image;
    const known = sides.get(sha256);
    if (known) {
      before = known.side;
      rows.push({ id, subject, kernel: { state: 'same', sha256, as: known.index } });
      continue;
    }
    say(`${index} of ${commits.length - 1}: ${id.slice(0, 12)} ${plainLine(subject)}`);
    const side = await bootCommit(commit, join(out, 'commits', id.slice(0, 12)), options, signal);
    sides.set(sha256, { index, side });
    if (before)
      writeComparison(compareSides({ a: before, b: side }), join(out, 'commits', id.slice(0, 12)));
    base ??= side;
    before = side;
    const pairs = index === 0 ? [] : compareSides({ a: base, b: side }).pairs;
    rows.push({ id, subject, kernel: { state: 'booted', sha256, pairs } });
  }
  return { rows, scenarios: base?.cases.length ?? 0 };
}

/** Writes series.txt and series.json, and prints one of them. */
export function publishSeries(report: SeriesReport, out: string, json: boolean): number {
  onHost(out, () => makeFolder(out));
  const text = formatSeries(report);
  const differences = seriesDifferences(report.rows);
  const data = `${stableJson({ schema: 1, ...report, differences }, 1)}\n`;
  writeText(join(out, 'series.txt'), text);
  writeText(join(out, 'series.json'), data);
  process.stdout.write(json ? data : text);
  say(`what each commit changed: ${join(out, 'commits', 'COMMIT', 'compare.html')}`);
  return differences.length > 0 ? exitCodes.findings : exitCodes.pass;
}
