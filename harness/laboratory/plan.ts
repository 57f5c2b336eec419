// SPDX-License-Identifier: GPL-2.0-only
import { parse } from 'yaml';
import { readRegularText, whyUnreadable } from '../../host/read-file.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import type { PlannedCase, UnfitCase } from '../../src/report/types.ts';
import {
  allScenarios,
  builtInScenario,
  builtInScenarios,
  matrixScenarios,
} from '../../src/scenario/built-in.ts';
import { whyNoCommandLine } from '../../src/scenario/command-line.ts';
import type { DepthChoice } from '../../src/scenario/depth.ts';
import { whyUnfit } from '../../src/scenario/fit.ts';
import { lateCpuScenarios } from '../../src/scenario/late-cpus.ts';
import { thin } from '../../src/scenario/pairwise.ts';
import { realmMatrix, realmSingles } from '../../src/scenario/realms.ts';
import { parseScenarios } from '../../src/scenario/schema.ts';
import { tellingScenarios } from '../../src/scenario/telling.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { defaultVariants } from '../../src/scenario/variants.ts';
import { type Variation, vary } from '../../src/scenario/variation.ts';
import { suggest } from '../../src/suggest.ts';
import { type Pair, type PlannedKernel, planDepths } from './plan-depths.ts';

/**
 * Limit for the cases of the default matrix, without the single changes: all together take about
 * ten minutes on two cores.
 */
const DEFAULT_CASE_LIMIT = 180;

/**
 * What a run should boot: kernels by spec (with their release, where they are available) times
 * scenarios.
 */
export interface Plan {
  scenarios: Scenario[];
  planned: PlannedCase[];
  leftOut: PlannedCase[];
  /** What a kernel cannot run, with the reason. */
  unfit: UnfitCase[];
}

async function scenariosOfFile(file: string): Promise<Scenario[]> {
  let text: string;
  try {
    text = await readRegularText(file);
  } catch (error) {
    throw new PtdiffError(
      'usage',
      `Cannot read the scenario file ${file}: ${whyUnreadable(error)}.`,
      { cause: error },
    );
  }
  try {
    return parseScenarios(parse(text), file);
  } catch (error) {
    if (error instanceof PtdiffError) throw error;
    throw new PtdiffError(
      'usage',
      `${file} is neither YAML nor JSON: ${messageOf(error).split('\n')[0]}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Scenarios by name, by file (a name with '/' or ending in .yaml, .yml, .json), 'telling' (the most
 * telling first), or 'all'.
 */
export async function scenariosNamed(name: string): Promise<Scenario[]> {
  if (name === 'all') return [...allScenarios];
  if (name === 'telling')
    return tellingScenarios.flatMap((wanted) =>
      builtInScenarios.filter((scenario) => scenario.name === wanted),
    );
  if (name.includes('/') || /\.(ya?ml|json)$/.test(name)) return scenariosOfFile(name);
  const found = builtInScenario(name);
  if (found) return [found];
  const known = ['all', 'telling', ...builtInScenarios.map((scenario) => scenario.name)];
  throw new PtdiffError(
    'usage',
    `There is no scenario '${name}'; './ptdiff ls scenarios' lists them, or name a file.${suggest(name, known)}`,
  );
}

/** Factors of the matrix for one case: kernel, CPU, rodata=, KFENCE, and the kind of machine. */
function factors({ kernel, scenario }: Pair): string[] {
  const { machine, rodata, kfenceSampleInterval } = scenario;
  return [
    kernel.spec,
    machine.cpu,
    rodata,
    String(kfenceSampleInterval),
    `${machine.world} ${machine.firmware}`,
  ];
}

/**
 * Why a kernel cannot run a scenario, as a part of a sentence; undefined where it can, or where
 * nothing is known about it.
 */
export function reasonAgainst({
  kernel,
  scenario,
}: {
  kernel: Pick<PlannedKernel, 'traits' | 'commandLine'>;
  scenario: Scenario;
}): string | undefined {
  if (!kernel.traits) return undefined;
  return (
    whyUnfit(scenario, kernel.traits) ?? whyNoCommandLine(kernel.commandLine?.(scenario) ?? '')
  );
}

/** Kernels times scenarios, and separately the scenarios that a kernel cannot run. */
function multiply(
  kernels: PlannedKernel[],
  scenarios: readonly Scenario[],
): { pairs: Pair[]; unfit: Plan['unfit'] } {
  const all = kernels.flatMap((kernel) => scenarios.map((scenario) => ({ kernel, scenario })));
  const reasons = new Map(all.map((pair) => [pair, reasonAgainst(pair)]));
  return {
    pairs: all.filter((pair) => reasons.get(pair) === undefined),
    unfit: [...reasons].flatMap(([{ kernel, scenario }, reason]) =>
      reason === undefined ? [] : [{ kernel: kernel.spec, scenario: scenario.name, reason }],
    ),
  };
}

/** Of the default matrix, the kernel on which scenarios with a single change are booted, too. */
export function newestOf(specs: readonly string[]): string | undefined {
  return specs.findLast((spec) => spec.split(':').length === 2);
}

/**
 * The default matrix: every kernel in both worlds, and scenarios with a single change, on the
 * newest kernel only. It is thinned: what the thinning takes is booted in full; the rest early, or
 * not at all where everything is to be booted in full. The thinning needs to know all kernels: while
 * one is awaited, the matrix has only what does not depend on it.
 */
function defaultPlan(kernels: PlannedKernel[], variation: Variation, depth: DepthChoice): Plan {
  const varied = (scenario: Scenario): Scenario => vary(scenario, variation);
  const inMatrix = [...matrixScenarios, ...realmMatrix].map(varied);
  const there = kernels.filter((kernel) => !kernel.awaited);
  const isOpen = depth !== 'early' && there.length < kernels.length;
  const { pairs: matrix, unfit } = multiply(isOpen ? [] : there, inMatrix);
  const kept = new Set(thin(matrix.map(factors), DEFAULT_CASE_LIMIT));
  const last = newestOf(kernels.map(({ spec }) => spec));
  const newest = there.filter(({ spec }) => spec === last);
  const onNewest = [...realmSingles, ...lateCpuScenarios, ...defaultVariants].map(varied);
  const singles = multiply(newest, onNewest);
  const thinned = [...matrix.filter((_, index) => kept.has(index)), ...singles.pairs];
  const others = matrix.filter((_, index) => !kept.has(index));
  const taken = new Set(thinned);
  const run = depth === 'full' ? thinned : [...thinned, ...others];
  return {
    scenarios: [...inMatrix, ...onNewest],
    planned: planDepths(run, depth, (pair) => taken.has(pair)),
    leftOut: depth === 'full' ? planDepths(others, depth) : [],
    unfit: [...unfit, ...singles.unfit],
  };
}

/** Names that stand for many scenarios; who names one wants all of it. */
const groupNames: readonly string[] = ['all', 'telling'];

/**
 * Combines kernels and scenarios. Without scenario names this is the default matrix, thinned by
 * pairwise coverage. While a kernel is awaited, the plan has what is certain without it.
 * @param variation how the boot of each scenario differs from the default
 * @param depth of all cases, or as planned: scenarios that were named one by one are then booted in
 * full, and of others what can tell something after the early end
 * @throws PtdiffError(usage) for a scenario that does not exist, or two with the same name
 */
export async function planCases(
  kernels: PlannedKernel[],
  names: string[],
  variation: Variation = {},
  depth: DepthChoice = 'full',
): Promise<Plan> {
  if (names.length === 0) return defaultPlan(kernels, variation, depth);
  const found = await Promise.all(
    names.map(async (name) =>
      (await scenariosNamed(name)).map((scenario) => ({
        name,
        scenario: vary(scenario, variation),
      })),
    ),
  );
  const listed = found.flat().map(({ scenario }) => scenario);
  const scenarios = [...new Map(listed.map((scenario) => [scenario.name, scenario])).values()];
  if (new Set(listed.map((scenario) => JSON.stringify(scenario))).size > scenarios.length) {
    throw new PtdiffError(
      'usage',
      'Two different scenarios have the same name; rename one of them.',
    );
  }
  const single = found.flat().filter(({ name }) => !groupNames.includes(name));
  const named = new Set(single.map(({ scenario }) => scenario.name));
  const there = kernels.filter((kernel) => !kernel.awaited);
  const { pairs, unfit } = multiply(there, scenarios);
  const planned = planDepths(pairs, depth, ({ scenario }) => named.has(scenario.name));
  return { scenarios, planned, leftOut: [], unfit };
}
