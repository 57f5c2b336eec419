import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { messageOf, PtdiffError } from '../errors.ts';
import type { PlannedCase } from '../report/types.ts';
import { builtInScenarios, matrixScenarios } from '../scenario/built-in.ts';
import { caseName } from '../scenario/names.ts';
import { thin } from '../scenario/pairwise.ts';
import { parseScenarios } from '../scenario/schema.ts';
import type { Scenario } from '../scenario/types.ts';

/** Cases of the default run: about ten minutes on two cores. */
export const DEFAULT_CASE_LIMIT = 120;

/** What a run shall boot: kernels by spec (with their release, where they are to be had) times scenarios. */
export interface Plan {
  scenarios: Scenario[];
  planned: PlannedCase[];
  leftOut: PlannedCase[];
}

async function scenariosOfFile(file: string): Promise<Scenario[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new PtdiffError('usage', `Cannot read the scenario file ${file}: ${messageOf(error)}.`, { cause: error });
  }
  try {
    return parseScenarios(parse(text), file);
  } catch (error) {
    if (error instanceof PtdiffError) throw error;
    throw new PtdiffError('usage', `${file} is neither YAML nor JSON: ${messageOf(error).split('\n')[0]}`, {
      cause: error,
    });
  }
}

/** Scenarios by name, by file (a name with '/' or an ending of .yaml, .yml, .json), or 'all'. */
export async function scenariosNamed(name: string): Promise<Scenario[]> {
  if (name === 'all') return [...builtInScenarios];
  if (name.includes('/') || /\.(ya?ml|json)$/.test(name)) return scenariosOfFile(name);
  const found = builtInScenarios.filter((scenario) => scenario.name === name);
  if (found.length > 0) return found;
  throw new PtdiffError('usage', `There is no scenario '${name}'; './ptdiff ls scenarios' lists them, or name a file.`);
}

/** Factors of the matrix for one case: kernel, CPU, rodata=, KFENCE. */
function factors(kernel: string, { machine, rodata, kfenceSampleInterval }: Scenario): string[] {
  return [kernel, machine.cpu, rodata, String(kfenceSampleInterval)];
}

/**
 * Multiplies kernels and scenarios. Without scenario names it is the default matrix, thinned by pairwise coverage.
 * @param kernels spec, and name that a case bears: the release, or what stands for it
 */
export async function planCases(kernels: { spec: string; label: string }[], names: string[]): Promise<Plan> {
  const thinned = names.length === 0;
  const listed = thinned ? [...matrixScenarios] : (await Promise.all(names.map(scenariosNamed))).flat();
  const scenarios = [...new Map(listed.map((scenario) => [scenario.name, scenario])).values()];
  if (new Set(listed.map((scenario) => JSON.stringify(scenario))).size > scenarios.length) {
    throw new PtdiffError('usage', 'Two different scenarios bear the same name; rename one of them.');
  }
  const pairs = kernels.flatMap((kernel) => scenarios.map((scenario) => ({ kernel, scenario })));
  const all = pairs.map(({ kernel, scenario }) => ({
    case: caseName(kernel.label, scenario.name),
    kernel: kernel.spec,
    scenario: scenario.name,
  }));
  if (!thinned) return { scenarios, planned: all, leftOut: [] };
  const kept = new Set(
    thin(
      pairs.map(({ kernel, scenario }) => factors(kernel.spec, scenario)),
      DEFAULT_CASE_LIMIT,
    ),
  );
  return {
    scenarios,
    planned: all.filter((_, index) => kept.has(index)),
    leftOut: all.filter((_, index) => !kept.has(index)),
  };
}
