// SPDX-License-Identifier: GPL-2.0-only
import { sha256 } from '../../host/cache.ts';
import { say } from '../../host/say.ts';
import type { KernelImage } from '../../images/kernel-image.ts';
import { parseKernelSpec } from '../../images/kernel-spec.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { PlannedCase, RunRecord } from '../../src/report/types.ts';
import { defaultKernels } from '../../src/scenario/built-in.ts';
import type { DepthChoice } from '../../src/scenario/depth.ts';
import type { Variation } from '../../src/scenario/variation.ts';
import { hasEarlyEnd } from '../boot/checkpoints.ts';
import { commandLine } from './boot-case.ts';
import type { FarmAddress } from './farm/address.ts';
import { type KernelStage, loadInStages, loadKernels } from './load-kernels.ts';
import type { LoadedKernel } from './loaded-kernel.ts';
import { newestOf, type Plan, planCases, scenariosNamed } from './plan.ts';
import type { PlannedKernel } from './plan-depths.ts';
import { resumedAsk } from './resume.ts';
import type { Asked } from './run-record.ts';

/** A matrix to run. */
export interface MatrixRequest {
  /** Specs of kernels, see parseKernelSpec(); by default the default kernels. */
  kernels: string[];
  /** Those of them that were loaded before, by their specs. */
  loaded?: ReadonlyMap<string, LoadedKernel>;
  /**
   * Names, files, 'telling' or 'all', see scenariosNamed(); by default the default matrix, thinned.
   */
  scenarios: string[];
  /** Number of cases that run at the same time. */
  jobs: number;
  /**
   * The run folder; in an existing one, the run continues with missing cases and those that ended
   * in `error`.
   */
  out: string;
  /** How far cases are booted; default: in full. */
  depth?: DepthChoice;
  /** How the boot of every scenario differs from the default. */
  variation?: Variation;
  /** Boot kernels with the same Image only once, under the first of their names. */
  oncePerImage?: true;
  /** Do not record what happens to the tables. */
  record?: false;
  /** The user's own QEMU. */
  qemu?: string;
  /** Workers that run the cases instead of this process. */
  farm?: FarmAddress;
  /** False where nobody waits for it: others on the farm then go first. */
  urgent?: false;
  /** Which of the planned cases to run, in this order; all when absent. */
  select?: (planned: readonly PlannedCase[]) => PlannedCase[];
  /** Called before each case; true ends the run in order and leaves the rest. */
  enough?: () => boolean;
  /** The order in which cases begin; that of the plan when absent. Reports keep the plan's. */
  order?: (planned: readonly PlannedCase[]) => Promise<PlannedCase[]>;
  /** Seconds after which no case begins, for the record: `enough` tells when they are over. */
  budget?: number;
}

/** A longer label would leave no room for the scenario in the name of a folder. */
const maximalLabel = 100;

/**
 * A label for the cases of an unavailable kernel: its spec without characters that a folder name
 * cannot contain.
 */
export function labelOf(spec: string): string {
  const label = spec.replace(/^debian:/, '').replaceAll(/[^A-Za-z0-9._+-]+/g, '-');
  return label.length <= maximalLabel
    ? label
    : `${label.slice(0, maximalLabel - 9)}-${sha256(spec).slice(0, 8)}`;
}

/** The first kernel of each Image; `told` hears about the others. */
function distinctImages(kernels: LoadedKernel[], told: typeof say): LoadedKernel[] {
  const first = new Map<string, LoadedKernel>();
  for (const kernel of kernels) {
    const { spec, sha256: hash } = kernel.image;
    const same = first.get(hash);
    if (same) told(`${spec} is the same Image as ${same.image.spec}; it is booted once`);
    else first.set(hash, kernel);
  }
  return [...first.values()];
}

/** A request with its kernels loaded and its cases known. */
export interface PlannedMatrix {
  asked: Asked;
  kernels: LoadedKernel[];
  unavailable: RunRecord['unavailable'];
  plan: Plan;
  /** Kernels that are still being fetched: the plan has what is certain without them. */
  awaited: string[];
  /** The run record of an earlier part of the same run. */
  before?: RunRecord;
}

/**
 * The names of kernels in the names of their cases: the release. Several kernels of one release
 * also get what distinguishes their sources, otherwise the hash of the Image, or (for the same
 * Image under two names) the hash of the spec.
 * @returns labels by spec
 */
function labelsOf(
  images: Pick<KernelImage, 'spec' | 'release' | 'sha256' | 'tag'>[],
): Map<string, string> {
  const ways: ((image: (typeof images)[number]) => string)[] = [
    ({ release }) => release,
    ({ release, sha256: digest, tag }) => `${release}-${tag ?? digest.slice(0, 8)}`,
    ({ release, sha256: digest, tag = '' }) =>
      [release, tag, digest.slice(0, 8)].filter(Boolean).join('-'),
    ({ release, spec }) => `${release}-${sha256(spec).slice(0, 8)}`,
  ];
  const labels = new Map<string, string>();
  let rest = [...new Map(images.map((image) => [image.spec, image])).values()];
  for (const way of ways) {
    const taken = rest.map(way);
    const unique = (label: string) => taken.filter((each) => each === label).length === 1;
    for (const image of rest) if (unique(way(image))) labels.set(image.spec, way(image));
    rest = rest.filter(({ spec }) => !labels.has(spec));
  }
  return labels;
}

/** What decides which scenarios a kernel can run, see reasonAgainst(). */
export function fittingOf(
  kernel: LoadedKernel,
): Required<Pick<PlannedKernel, 'traits' | 'commandLine'>> {
  const { image, symbols, traits } = kernel;
  const end = symbols.address('_end');
  return {
    traits: {
      ...traits,
      hasModules: image.hasModules === true,
      ...(end !== undefined && { imageBytes: Number(end - symbols.textBase) }),
    },
    commandLine: (scenario) => commandLine(kernel, scenario),
  };
}

/** A request as it is asked: checked as far as that needs no kernel. */
interface MatrixQuestion {
  asked: Asked;
  before?: RunRecord;
}

/**
 * What a request asks, together with the run that it goes on with.
 * @throws PtdiffError(usage) for an invalid kernel or scenario, or a run folder with another
 * question
 */
async function questionOf(request: MatrixRequest): Promise<MatrixQuestion> {
  // A kernel that is named twice counts once: its cases must not run concurrently with themselves.
  const named = [...new Set(request.kernels)];
  const before = resumedAsk(request.out, { ...request, kernels: named });
  const variation = before?.asked.variation ?? request.variation;
  const depth = before ? (before.asked.depth ?? 'full') : (request.depth ?? 'full');
  const asked: Asked = {
    kernels: before?.asked.kernels ?? (named.length > 0 ? named : [...defaultKernels]),
    scenarios: before?.asked.scenarios ?? request.scenarios,
    jobs: request.jobs,
    depth,
    ...(request.budget !== undefined && { budget: request.budget }),
    ...(variation && { variation }),
  };
  // Cheap checks come before downloads that take minutes.
  for (const name of asked.scenarios) await scenariosNamed(name);
  for (const spec of asked.kernels) parseKernelSpec(spec);
  return { asked, ...(before && { before }) };
}

/** The question, once what must be built for it is built where that is quickest. */
async function askedOf(request: MatrixRequest, signal: AbortSignal): Promise<MatrixQuestion> {
  const question = await questionOf(request);
  if (request.farm) {
    const { buildOnFarm } = await import('./farm/build-on-farm.ts');
    await buildOnFarm(question.asked.kernels, request.farm, signal);
  }
  return question;
}

/**
 * Kernels as the plan sees them. One whose cases would be called otherwise if an awaited kernel
 * turned out to be of the same release is awaited, too.
 */
function plannedKernels(
  specs: readonly string[],
  kernels: readonly LoadedKernel[],
  awaited: KernelStage['awaited'],
): PlannedKernel[] {
  const labels = labelsOf(kernels.map(({ image }) => image));
  const releases = new Set([...awaited.values()].flat());
  return specs.map((spec) => {
    const kernel = kernels.find(({ image }) => image.spec === spec);
    const open = awaited.has(spec) || (kernel && releases.has(kernel.image.release));
    return {
      spec,
      label: labels.get(spec) ?? labelOf(spec),
      ...(open && { awaited: true as const }),
      ...(kernel && {
        ...fittingOf(kernel),
        ...(hasEarlyEnd(kernel.symbols) && { late: kernel.traits }),
      }),
    };
  });
}

/** Combines the kernels that are there with the scenarios of a request. */
async function combine(
  request: MatrixRequest,
  { asked, before }: MatrixQuestion,
  { unavailable, awaited, ...loaded }: KernelStage,
): Promise<PlannedMatrix> {
  // Once, and of all kernels.
  const told = awaited.size === 0 ? say : () => {};
  const kernels = request.oncePerImage ? distinctImages(loaded.kernels, told) : loaded.kernels;
  const twice = loaded.kernels
    .filter((kernel) => !kernels.includes(kernel))
    .map(({ image }) => image.spec);
  const wanted = asked.kernels.filter((spec) => !twice.includes(spec));
  const planned = plannedKernels(wanted, kernels, awaited);
  const plan = await planCases(planned, asked.scenarios, asked.variation, asked.depth);
  const [unfit] = plan.unfit;
  if (plan.planned.length === 0 && unfit && awaited.size === 0) {
    const example = `${unfit.scenario} on ${unfit.kernel}: ${unfit.reason}`;
    throw new PtdiffError(
      'usage',
      `None of these kernels can run any of these scenarios; ${example}.`,
    );
  }
  const settled = before && !before.awaited ? before.planned : undefined;
  return {
    asked,
    kernels,
    unavailable,
    plan: { ...plan, planned: settled ?? request.select?.(plan.planned) ?? plan.planned },
    awaited: [...awaited.keys()],
    ...(before && { before }),
  };
}

/**
 * Loads the kernels of a request and combines them with its scenarios.
 * @throws PtdiffError(usage) for an invalid kernel or scenario, or a run folder with another
 * question
 */
export async function planMatrix(
  request: MatrixRequest,
  signal: AbortSignal,
): Promise<PlannedMatrix> {
  const question = await askedOf(request, signal);
  const loaded = await loadKernels(question.asked.kernels, signal, request.loaded);
  signal.throwIfAborted();
  return combine(request, question, { ...loaded, awaited: new Map() });
}

/**
 * The same in stages, while kernels are still being fetched: each has the cases that are certain
 * whatever the awaited kernels are like; the last one is that of planMatrix(). A request that
 * selects from the plan has one stage: it needs to see all of it.
 */
export async function* planInStages(
  request: MatrixRequest,
  signal: AbortSignal,
): AsyncGenerator<PlannedMatrix, void> {
  if (request.select) {
    yield await planMatrix(request, signal);
    return;
  }
  const question = await askedOf(request, signal);
  const { kernels, scenarios } = question.asked;
  // What the default matrix has for one kernel alone does not depend on the others.
  const early = scenarios.length === 0 ? newestOf(kernels) : undefined;
  const stages = loadInStages(kernels, signal, {
    ...(request.loaded && { had: request.loaded }),
    ...(early !== undefined && { early }),
  });
  for await (const stage of stages) yield combine(request, question, stage);
}
