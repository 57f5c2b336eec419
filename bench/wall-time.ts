// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { withDir } from 'tmp-promise';
import { defaultJobs } from '../harness/laboratory/laboratory.ts';
import { writeReportPage } from '../harness/laboratory/report-page.ts';
import { runStored } from '../harness/laboratory/run-stored.ts';
import { listenToTimes, type WorkTime, workParts } from '../host/timed.ts';

/** Milliseconds in which at least one of some stretches of time went on. */
export function coveredBy(stretches: readonly Pick<WorkTime, 'start' | 'end'>[]): number {
  const sorted = stretches.toSorted((a, b) => a.start - b.start);
  let covered = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { start, end } of sorted) {
    covered += Math.max(0, end - Math.max(start, reached));
    reached = Math.max(reached, end);
  }
  return covered;
}

const columns = (cells: readonly string[]): string =>
  cells.map((cell, index) => (index === 0 ? cell.padEnd(18) : cell.padStart(11))).join('');

/**
 * Where a run's wall time went: of each part of the work the seconds, all jobs together, and the
 * seconds in which at least one job was at it. What nothing covers is the rest: plans, checks of
 * hashes, waiting for locks.
 * @param wall the whole run, in milliseconds
 */
export function timeTable(times: readonly WorkTime[], wall: number): string[] {
  const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(1);
  const percent = (milliseconds: number) => `${((milliseconds * 100) / wall).toFixed(1)} %`;
  const rows = workParts.map((part) => {
    const own = times.filter((each) => each.part === part);
    const sum = own.reduce((total, { start, end }) => total + end - start, 0);
    const covered = coveredBy(own);
    return [part, String(own.length), seconds(sum), seconds(covered), percent(covered)];
  });
  const rest = wall - coveredBy(times);
  return [
    ['', 'times', 'seconds', 'wall clock', 'of the run'],
    ...rows,
    ['nothing of it', '', '', seconds(rest), percent(rest)],
  ].map(columns);
}

/**
 * Prints where the wall time of a default run goes. Its cache is that of the environment: an empty
 * one (PTDIFF_CACHE) shows a first use.
 * @param budget seconds after which no case begins; all cases when absent
 */
export async function benchWallTime(budget: number | undefined): Promise<void> {
  await withDir(
    async ({ path }) => {
      const out = join(path, 'run');
      const jobs = defaultJobs();
      const times: WorkTime[] = [];
      const stop = listenToTimes((time) => times.push(time));
      const start = performance.now();
      const enough = () => budget !== undefined && performance.now() - start > budget * 1000;
      const request = { kernels: [], scenarios: [], jobs, out, depth: 'planned' as const, enough };
      const { cases } = await runStored(
        { ...request, oncePerImage: true },
        join(path, 'store.sqlite'),
        new AbortController().signal,
      );
      await writeReportPage(out);
      stop();
      const wall = performance.now() - start;
      const part = budget === undefined ? '' : `, no case begun after ${budget} s`;
      console.log(
        `Wall time of a default run with --jobs ${jobs}: ${cases.length} cases in ${(wall / 1000).toFixed(0)} s${part}`,
      );
      for (const line of timeTable(times, wall)) console.log(`  ${line}`);
    },
    { unsafeCleanup: true },
  );
}
