// SPDX-License-Identifier: GPL-2.0-only
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { withLockedFolder } from '../../../host/lock.ts';
import { say } from '../../../host/say.ts';
import {
  type Exploration,
  type FoundDifference,
  newExploration,
  partFolder,
  readExploration,
  writeExploration,
} from '../../../results/exploration-file.ts';
import { readCaseLines, runFiles } from '../../../results/run-folder.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { present } from '../../../src/present.ts';
import { defaultKernels } from '../../../src/scenario/built-in.ts';
import { type Depth, depthOf } from '../../../src/scenario/depth.ts';
import { largestSeed } from '../../../src/scenario/variation.ts';
import type { FarmAddress } from '../farm/address.ts';
import { loadKernels } from '../load-kernels.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { writeReportPage } from '../report-page.ts';
import { runStored } from '../run-stored.ts';
import { drawPart } from './draw-part.ts';
import { hasEnded, type Manner, requestOf } from './run-part.ts';
import { shrinkDifference, unexplained } from './shrink-difference.ts';

/** What shall be explored. */
export interface ExploreRequest {
  /** Specs; absent are the default kernels, or those of an exploration that goes on. */
  kernels?: string[];
  /** Kernels that were loaded before, by their specs. */
  loaded?: ReadonlyMap<string, LoadedKernel>;
  /** A new one when absent, or that of an exploration that goes on. */
  seed?: number;
  /** How far each machine is booted; in full when absent, or as an exploration that goes on does. */
  depth?: Depth;
  /** Machines in all, with those that the folder holds. */
  machines: number;
  /** Asked before each boot; true ends the exploration in order. */
  enough(): boolean;
  jobs: number;
  out: string;
  /** Path of the results store. */
  store: string;
  qemu?: string;
  farm?: FarmAddress;
  /** Do not record what happens to the tables. */
  record?: false;
}

/** How every run of an exploration is made. */
const mannerOf = (
  { jobs, qemu, farm, record }: ExploreRequest,
  { depth = 'full' }: Exploration,
  loaded: ReadonlyMap<string, LoadedKernel>,
): Manner => ({
  jobs,
  loaded,
  depth,
  ...(qemu !== undefined && { qemu }),
  ...(farm && { farm, urgent: false }),
  ...(record === false && { record }),
});

/** What an exploration has come to, and all cases that it ran. */
export interface Explored {
  exploration: Exploration;
  cases: CaseResult[];
}

/** Cases of one part: as many as keep all jobs busy for some time. */
const partSize = (jobs: number): number => Math.max(8, 4 * jobs);

/** Kernels that are had, by their specs. */
async function kernelsOf(
  specs: string[],
  signal: AbortSignal,
  had: ExploreRequest['loaded'],
): Promise<{ kernels: Map<string, LoadedKernel>; lost: string[] }> {
  const { kernels, unavailable } = await loadKernels(specs, signal, had);
  return {
    kernels: new Map(kernels.map((kernel) => [kernel.image.spec, kernel])),
    lost: unavailable.map(({ spec }) => spec),
  };
}

/** What the folder began with, or a beginning. */
async function begin(
  { out, kernels: asked, loaded, seed, depth }: ExploreRequest,
  signal: AbortSignal,
): Promise<{ exploration: Exploration; kernels: Map<string, LoadedKernel> }> {
  const before = readExploration(out);
  const other = (now: unknown, then: unknown) => now !== undefined && String(now) !== String(then);
  if (
    before &&
    (other(asked, before.asked) || other(seed, before.seed) || other(depth, depthOf(before)))
  )
    throw new PtdiffError(
      'usage',
      `${out} holds an exploration of other kernels, another seed or another depth; name another --out, or leave --kernel, --seed and --depth out.`,
    );
  const specs = before?.kernels ?? asked ?? [...defaultKernels];
  const { kernels, lost } = await kernelsOf(specs, signal, loaded);
  if (kernels.size === 0 || (before && lost.length > 0))
    throw new PtdiffError('host', `An exploration needs these kernels: ${lost.join(', ')}.`);
  const exploration =
    before ??
    newExploration({
      seed: seed ?? randomInt(largestSeed),
      asked: specs,
      kernels: [...kernels.keys()],
      ...(depth && { depth }),
    });
  return { exploration, kernels };
}

/** Runs the last part, as far as it was not; its results with those of before. */
async function runLastPart(
  exploration: Exploration,
  kernels: ReadonlyMap<string, LoadedKernel>,
  request: ExploreRequest,
  signal: AbortSignal,
): Promise<CaseResult[]> {
  const { out, enough } = request;
  const { parts } = exploration;
  const folder = partFolder(out, parts.length);
  const rest = { ...mannerOf(request, exploration, kernels), enough };
  const part = requestOf(present(parts.at(-1), 'part of the exploration'), folder, rest);
  const { cases } = await runStored(part, request.store, signal);
  await writeReportPage(folder);
  return cases;
}

function isUnfinished({ parts }: Exploration, out: string): boolean {
  if (parts.length === 0) return false;
  const folder = partFolder(out, parts.length);
  return !existsSync(join(folder, runFiles.run)) || !hasEnded(folder, readCaseLines(folder));
}

/** Searches the smallest machine for each finding of some cases that was not found before. */
async function shrinkNew(
  exploration: Exploration,
  cases: readonly CaseResult[],
  kernels: ReadonlyMap<string, LoadedKernel>,
  request: ExploreRequest,
  signal: AbortSignal,
): Promise<void> {
  const { out } = request;
  const machines = exploration.parts.flat();
  for (const result of cases) {
    const machine = machines.find(({ scenario }) => scenario.name === result.scenario);
    const kernel = kernels.get(result.kernel.spec);
    if (!machine || !kernel) continue;
    for (const finding of unexplained(result)) {
      const { differences } = exploration;
      if (differences.some((each) => each.finding === finding)) continue;
      const manner = mannerOf(request, exploration, kernels);
      const setting = { exploration, kernel, out, manner, signal };
      const isNew = (each: FoundDifference) =>
        !differences.some((other) => other.finding === each.finding);
      differences.push(...(await shrinkDifference(machine, finding, setting)).filter(isNew));
      writeExploration(out, exploration);
    }
  }
}

async function exploreLocked(request: ExploreRequest, signal: AbortSignal): Promise<Explored> {
  const { out, enough } = request;
  const { exploration, kernels } = await begin(request, signal);
  const cases = exploration.parts.flatMap((_, index) => {
    const folder = partFolder(out, index + 1);
    return existsSync(join(folder, runFiles.run)) ? readCaseLines(folder) : [];
  });
  say(`seed ${exploration.seed}; results go to ${out}`);
  // What was stopped amid a search searches again.
  await shrinkNew(exploration, cases, kernels, request, signal);
  while (!signal.aborted && !enough()) {
    if (!isUnfinished(exploration, out)) {
      const left = request.machines - exploration.parts.flat().length;
      const machines = drawPart(exploration, kernels, Math.min(left, partSize(request.jobs)));
      if (machines.length === 0) break;
      exploration.parts.push(machines);
      writeExploration(out, exploration);
    }
    const part = await runLastPart(exploration, kernels, request, signal);
    const ran = new Set(part.map((each) => each.case));
    cases.splice(0, cases.length, ...cases.filter((each) => !ran.has(each.case)), ...part);
    await shrinkNew(exploration, part, kernels, request, signal);
  }
  return { exploration, cases };
}

/**
 * Boots machines that nobody wrote: scenarios made at random from all that the schema allows,
 * guided to what was not yet seen together, each judged like any case. A finding that no known
 * issue explains is brought down to the smallest scenario that still shows it. The folder goes on
 * where it stopped, at any instant.
 * @throws PtdiffError for what keeps it from starting; the signal's reason when it is stopped
 */
export async function explore(request: ExploreRequest, signal: AbortSignal): Promise<Explored> {
  const waiting = `another ptdiff explores into ${request.out}; this one goes on when it ends`;
  return withLockedFolder(request.out, () => exploreLocked(request, signal), {
    waiting,
    progress: say,
    signal,
  });
}
