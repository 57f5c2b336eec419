// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import {
  type LoadedSide,
  loadSide,
  namedSide,
  runBelow,
} from '../../harness/laboratory/compare-sides.ts';
import { defaultJobs } from '../../harness/laboratory/laboratory.ts';
import { loadKernel } from '../../harness/laboratory/loaded-kernel.ts';
import { scenariosNamed } from '../../harness/laboratory/plan.ts';
import { timeStamp } from '../../harness/laboratory/run-record.ts';
import { runStored } from '../../harness/laboratory/run-stored.ts';
import { commitsOf } from '../../harness/laboratory/series-commits.ts';
import { checkStore, storeFile, storeHelp } from '../../harness/laboratory/store-file.ts';
import { onHost, writeText } from '../../host/host-file.ts';
import { withLockedFolder } from '../../host/lock.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { say } from '../../host/say.ts';
import { repositoryRoot } from '../../host/version.ts';
import { PtdiffError } from '../errors.ts';
import { isBuiltIn } from '../scenario/built-in.ts';
import type { Scenario } from '../scenario/types.ts';
import { stableJson } from '../stable-json.ts';
import type { CompareOptions } from './compare-options.ts';
import { compareSides, comparisonExit, publishComparison } from './compare-report.ts';
import { publishSeries, runSeries } from './compare-series.ts';
import { addMannerOptions, mannerOf } from './manner-options.ts';
import { collect, kernelSpecHelp, positiveInteger, scenarioHelp, type Verb } from './verb.ts';

/** A separate folder for each comparison. */
function comparisonFolder(out: string | undefined): string {
  return resolve(out ?? join(repositoryRoot, 'results', 'comparisons', timeStamp()));
}

/**
 * The scenarios of a recorded side, as names and a file, so that the other side runs exactly the
 * same.
 */
function recordedScenarios(side: LoadedSide, out: string): string[] {
  const names = new Set(side.cases.map(({ scenario }) => scenario));
  const scenarios: Scenario[] = side.run.scenarios.filter(({ name }) => names.has(name));
  const others = scenarios.filter((each) => !isBuiltIn(each));
  if (others.length === 0) return scenarios.map(({ name }) => name);
  const file = join(out, 'scenarios.json');
  onHost(out, () => makeFolder(out));
  writeText(file, `${stableJson(others, 1)}\n`);
  return [...scenarios.filter(isBuiltIn).map(({ name }) => name), file];
}

/** Boots the sides that are kernels, in one run, and reads the sides that are folders. */
async function bringSides(
  words: [string, string],
  options: CompareOptions,
  out: string,
  signal: AbortSignal,
) {
  const named = words.map((word) => ({ ...namedSide(word), word }));
  const asked = options.scenario ?? [];
  const wanted = (await Promise.all(asked.map(scenariosNamed))).flat().map(({ name }) => name);
  const specs = named.flatMap((side) => (side.kind === 'kernel' ? [side.spec] : []));
  if (specs.length > 0) await checkStore(storeFile(options.store));
  const manner = mannerOf(options);
  if (manner.farm) {
    const { buildOnFarm } = await import('../../harness/laboratory/farm/build-on-farm.ts');
    await buildOnFarm(specs, manner.farm, signal);
  }
  // Kernels first: an invalid spec must not cost a boot.
  const images: string[] = [];
  for (const spec of specs)
    images.push((await loadKernel(spec, { progress: say, signal })).image.sha256);
  signal.throwIfAborted();
  if (images.length === 2 && images[0] === images[1]) return 'same image';
  const recorded = named.map((side) =>
    side.kind === 'folder' ? loadSide(side.word, side.folder, side.kernel, wanted) : undefined,
  );
  if (specs.length > 0) {
    const before = recorded.find((side) => side !== undefined);
    const scenarios = before
      ? recordedScenarios(before, out)
      : asked.length > 0
        ? asked
        : ['telling'];
    const request = {
      kernels: specs,
      scenarios,
      jobs: options.jobs,
      out: runBelow(out),
      ...manner,
    };
    await runStored(request, storeFile(options.store), signal);
    signal.throwIfAborted();
  }
  const [a, b] = named.map((side, index) => {
    const found = recorded[index];
    if (found || side.kind === 'folder') return found;
    return loadSide(side.word, runBelow(out), side.spec, wanted);
  });
  if (!a || !b) throw new PtdiffError('harness', 'A side of the comparison was not loaded.');
  return { a, b };
}

/**
 * `ptdiff compare A B`.
 * @returns the exit code: 0 no change, 1 differences
 */
async function compareCommand(
  words: [string, string],
  options: CompareOptions,
  signal: AbortSignal,
): Promise<number> {
  const out = comparisonFolder(options.out);
  return alone(out, signal, async () => {
    const sides = await bringSides(words, options, out, signal);
    if (sides === 'same image') {
      say(
        'both kernels are the same Image, byte for byte: nothing can differ, and nothing was booted',
      );
      return 0;
    }
    const report = compareSides(sides);
    publishComparison(report, out, options.json === true);
    return comparisonExit(report);
  });
}

/** Runs comparisons into one folder one after the other; the second finds the boots done. */
function alone<T>(out: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const waiting = `another comparison is writing into ${out}; this one continues when that has ended`;
  return withLockedFolder(out, work, { waiting, progress: say, signal });
}

/** `ptdiff compare --series BASE..TIP --repo PATH`. */
async function seriesCommand(
  range: string,
  repository: string,
  options: CompareOptions,
  signal: AbortSignal,
): Promise<number> {
  const commits = await commitsOf(range, repository);
  const out = comparisonFolder(options.out);
  await checkStore(storeFile(options.store));
  return alone(out, signal, async () => {
    const { rows, scenarios } = await runSeries(commits, out, options, signal);
    return publishSeries({ range, repository, rows, scenarios }, out, options.json === true);
  });
}

/** Takes two sides or a series; refuses anything else. */
async function ask(
  words: (string | undefined)[],
  { series, repo, ...options }: CompareOptions & { series?: string; repo?: string },
  signal: AbortSignal,
): Promise<number> {
  const [a, b] = words;
  if (series !== undefined && a === undefined)
    return seriesCommand(series, repo ?? '.', options, signal);
  if (series === undefined && repo === undefined && a !== undefined && b !== undefined)
    return compareCommand([a, b], options, signal);
  throw new PtdiffError(
    'usage',
    'compare takes two sides, A and B, or else --series BASE..TIP with --repo PATH.',
  );
}

export const addCompare: Verb = (command, { signal, finish }) => {
  command
    .argument(
      '[a]',
      `${kernelSpecHelp.split(';')[0]}; a run folder; or FOLDER@RELEASE for one kernel of it`,
    )
    .argument('[b]', 'the same')
    .option('--series <base..tip>', 'a row for each commit of a git series, instead of A and B')
    .option('--repo <path>', 'the repository of the series (default: the current folder)')
    .option(
      '--scenario <name|file>',
      `${scenarioHelp} (default: telling, or those of the folder)`,
      collect,
    )
    .option(
      '--jobs <n>',
      "number of cases at a time (default: the host's cores)",
      positiveInteger,
      defaultJobs(),
    )
    .option(
      '--out <dir>',
      'folder for the boots and the report; continues an interrupted comparison',
    )
    .option('--json', 'print the comparison as JSON');
  addMannerOptions(command)
    .option('--store <file>', storeHelp)
    .action(async (a, b, options) => finish(await ask([a, b], options, signal)));
};
