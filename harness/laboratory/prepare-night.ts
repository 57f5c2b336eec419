// SPDX-License-Identifier: GPL-2.0-only
import { basename, join } from 'node:path';
import { sha256 } from '../../host/cache.ts';
import { watchedKernels } from '../../results/store/nights.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import type { Store } from '../../results/store/store.ts';
import type { NightConfig } from '../../src/nightly/config.ts';
import {
  type Candidate,
  type Choice,
  type NightInput,
  planNight,
} from '../../src/nightly/plan-night.ts';
import { commitText, type NewKernel, type NightSummary } from '../../src/nightly/summary.ts';
import { type KernelOfWatch, watchesOf } from '../../src/nightly/watches.ts';
import { depthOf } from '../../src/scenario/depth.ts';
import { scenarioHash } from '../../src/scenario/identity.ts';
import type { Variation } from '../../src/scenario/variation.ts';
import type { FarmAddress } from './farm/address.ts';
import { chooseEmulator } from './laboratory.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { type TonightsKernel, tonightsKernels } from './night-kernels.ts';
import { type PlannedMatrix, planMatrix } from './plan-matrix.ts';
import { nightParts } from './recover-nights.ts';
import { timeStamp } from './run-record.ts';

/** Everything that one night works with. */
export interface NightSetting {
  config: NightConfig;
  /** Path of the configuration: nights with the same file follow each other. */
  configPath: string;
  /** The night's own folder. */
  folder: string;
  jobs: number;
  store: Store;
  /** Path of the store. */
  storePath: string;
  signal: AbortSignal;
  /** Workers that run the night's cases; whoever waits for an answer goes first there. */
  farm?: FarmAddress;
}

/** A night with its kernels loaded and its cases chosen. */
export interface PreparedNight {
  started: Date;
  specs: string[];
  /** The kernels of these specs, and others. */
  loaded: ReadonlyMap<string, LoadedKernel>;
  scenarios: string[];
  /** Every night boots kernels with different slides. */
  variation: Variation;
  unavailable: NightSummary['unavailable'];
  oldLists?: string;
  /** The kernel of each watch. */
  watched: (KernelOfWatch & Omit<NewKernel, 'again'>)[];
  newKernels: NewKernel[];
  input: NightInput;
  choices: Choice[];
}

/** Two watches may have the same kernel tonight; it is booted once. */
function distinctSpecs(
  kernels: readonly TonightsKernel[],
  { kernels: loaded }: PlannedMatrix,
): string[] {
  const hashes = new Set<string>();
  return loaded
    .filter(({ image }) => kernels.some(({ spec }) => spec === image.spec))
    .filter(({ image }) => !hashes.has(image.sha256) && hashes.add(image.sha256))
    .map(({ image }) => image.spec);
}

function candidatesOf(
  { plan, kernels }: PlannedMatrix,
  watchOf: (sha: string) => string,
): Candidate[] {
  const scenarios = new Map(
    plan.scenarios.map((scenario) => [scenario.name, scenarioHash(scenario, sha256)]),
  );
  const images = new Map(kernels.map(({ image }) => [image.spec, image.sha256]));
  return plan.planned.flatMap((planned) => {
    const { case: name, kernel, scenario } = planned;
    const [hash, image] = [scenarios.get(scenario), images.get(kernel)];
    if (hash === undefined || image === undefined) return [];
    return [
      {
        case: name,
        watch: watchOf(image),
        kernel: image,
        scenario: { name: scenario, hash },
        depth: depthOf(planned),
      },
    ];
  });
}

/** A night in which no kernel was available: it runs nothing, and says so. */
function nothingToRun(
  night: Pick<PreparedNight, 'started' | 'unavailable' | 'oldLists' | 'variation'>,
  nights: number,
): PreparedNight {
  const input: NightInput = {
    candidates: [],
    looks: [],
    watches: watchesOf([], []),
    emulator: '',
    nights,
  };
  return {
    ...night,
    specs: [],
    loaded: new Map(),
    scenarios: [],
    watched: [],
    newKernels: [],
    input,
    choices: [],
  };
}

/**
 * Kernels that a watch has for the first time, and those that it has returned to since the last
 * look.
 */
function newKernelsOf(
  watched: PreparedNight['watched'],
  past: readonly KernelOfWatch[],
  choices: readonly Choice[],
): NewKernel[] {
  return watched.flatMap(({ sha256: hash, ...kernel }) => {
    const again = past.some(({ watch, sha256: other }) => watch === kernel.watch && other === hash);
    const changed = choices.some(
      ({ candidate, reason }) => candidate.kernel === hash && reason === 'changed',
    );
    return again && !changed ? [] : [{ ...kernel, again }];
  });
}

/**
 * A watch without a kernel, for instance because it does not build, under the user's name for it.
 */
function withoutImage(
  { spec, reason }: NightSummary['unavailable'][number],
  kernels: readonly TonightsKernel[],
): NightSummary['unavailable'][number] {
  const watches = kernels.filter((kernel) => kernel.spec === spec);
  const commit = watches.find((kernel) => kernel.commit)?.commit;
  const name = watches.map(({ watch }) => watch).join(', ') || spec;
  const what = reason.startsWith(`${spec} `) ? `it${reason.slice(spec.length)}` : reason;
  return { spec: commit ? `${name}, ${commitText(commit)}` : name, reason: what };
}

/** A night's seed: its date as a number, e.g. 20260316, in UTC. */
function seedOf(started: Date): number {
  return Number(started.toISOString().slice(0, 10).replaceAll('-', ''));
}

/** Loads tonight's kernels and chooses what to run. */
export async function prepareNight({
  config,
  folder,
  jobs,
  store,
  signal,
  farm,
}: NightSetting): Promise<PreparedNight> {
  const started = new Date();
  const { oldLists, ...found } = await tonightsKernels(config.kernels, signal);
  const variation = { seed: seedOf(started), onlyKaslr: true } as const;
  const night = {
    started,
    variation,
    unavailable: found.unavailable,
    ...(oldLists !== undefined && { oldLists }),
  };
  if (found.kernels.length === 0) return nothingToRun(night, config.nights);
  const scenarios = config.scenarios[0] === 'default' ? [] : config.scenarios;
  const request = {
    scenarios,
    jobs,
    variation,
    depth: 'planned' as const,
    out: join(folder, nightParts[0]),
    ...(farm && { farm }),
  };
  const specs = [...new Set(found.kernels.map(({ spec }) => spec))];
  const all = await planMatrix({ ...request, kernels: specs }, signal);
  const unavailable = [
    ...found.unavailable,
    ...all.unavailable.map((each) => withoutImage(each, found.kernels)),
  ];
  const kept = distinctSpecs(found.kernels, all);
  if (kept.length === 0) return nothingToRun({ ...night, unavailable }, config.nights);
  const loaded = new Map(all.kernels.map((kernel) => [kernel.image.spec, kernel]));
  const matrix =
    kept.length === specs.length
      ? all
      : await planMatrix({ ...request, kernels: kept, loaded }, signal);

  const images = new Map(all.kernels.map(({ image }) => [image.spec, image]));
  const watched = found.kernels.flatMap(({ watch, spec, commit }) => {
    const image = images.get(spec);
    return image
      ? [{ watch, sha256: image.sha256, release: image.release, ...(commit && { commit }) }]
      : [];
  });
  const past = watchedKernels(store);
  const watchTonight = (hash: string): string =>
    watched.find((each) => each.sha256 === hash)?.watch ?? '';
  const input: NightInput = {
    candidates: candidatesOf(matrix, watchTonight),
    looks: readLooks(store, {
      kernels: [...new Set([...past, ...watched].map(({ sha256: hash }) => hash))],
    }),
    watches: watchesOf(past, watched),
    emulator: (await chooseEmulator(undefined)).sha256,
    nights: config.nights,
  };
  const choices = planNight(input);
  const newKernels = newKernelsOf(watched, past, choices);
  return {
    ...night,
    specs: kept,
    loaded,
    scenarios,
    unavailable,
    watched,
    newKernels,
    input,
    choices,
  };
}

/** The name of a night's folder: its configuration and the second in which it started. */
export function nightFolder(out: string, configPath: string): string {
  return join(out, `${basename(configPath).replace(/\.[^.]*$/, '')}-${timeStamp()}`);
}
