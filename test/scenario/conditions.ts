// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import type { Question } from '../../src/model/question.ts';
import type { Decisions } from '../../src/model/types.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { given } from '../given.ts';
import type { Mutant } from '../mutants/find-mutants.ts';
import { installMutants, mutantsOf, visitedBy, withMutant } from '../mutants/install.ts';
import { isSame } from '../same-json.ts';

/** The decision functions of the kernel, as the model has them. */
const functions: Record<string, readonly string[]> = {
  'src/model/arch/arm64/include/asm/kfence.ts': ['arm64_kfence_can_set_direct_map'],
  'src/model/arch/arm64/include/asm/setup.ts': ['arch_parse_debug_rodata'],
  'src/model/arch/arm64/kernel/cpufeature.ts': [
    'isMidrInRange',
    'hasBbmLevel3',
    'cpuSupportsBbml',
    'isVulnerable',
    'unmap_kernel_at_el0',
    'kaslr_requires_kpti',
    'kaslr_enabled',
    'setup_system_capabilities',
  ],
  'src/model/arch/arm64/kernel/pi/map_kernel.ts': ['early_map_kernel'],
  'src/model/arch/arm64/kernel/rsi.ts': ['arm64_rsi_init'],
  'src/model/arch/arm64/mm/mmu.ts': [
    'parse_kfence_early_init',
    'map_mem_decisions',
    'mark_rodata_ro',
    'kpti_install_ng_mappings',
  ],
  'src/model/arch/arm64/mm/mmu-split.ts': [
    'force_pte_mapping',
    'split_leaf_mapping_possible',
    'repaints',
  ],
  'src/model/arch/arm64/mm/pageattr.ts': ['can_set_direct_map'],
  'src/model/mm/debug_page_alloc.ts': ['debug_pagealloc_enabled'],
};

/**
 * Whether a mutant holds a condition at one of its truths, or turns it round; what stands in for an
 * absent register is no condition.
 */
function isOfCondition({ file, within, rule, from }: Mutant): boolean {
  const inFunction = given(functions[file]).includes(within ?? '');
  return inFunction && rule !== 'constant' && rule !== 'call' && !from.includes('??');
}

const all = mutantsOf(Object.keys(functions));
installMutants(all);
// Loaded with the mutants in them: a static import would come before.
const { asked, generations, scenarioNamed, shown, traitsOfGeneration } = await import('./asked.ts');
const { decide } = await import('../../src/model/decisions.ts');
const { bootTimeCpus } = await import('../../src/model/arch/arm64/kernel/smp.ts');
const { asksForCpus } = await import('../../src/scenario/types.ts');
const { whyUnfit } = await import('../../src/scenario/fit.ts');

/**
 * Every condition of the decision functions, held at true, held at false, and its comparisons
 * turned round.
 */
export const conditions: readonly Mutant[] = all.filter(isOfCondition);

/** What a scenario tells on a generation. */
export interface Telling {
  scenario: Scenario;
  /**
   * World, and whether the boot CPU has the capability: what asks the same rules under other
   * circumstances.
   */
  kind: string;
  /** Whether something on which anything depends would be decided otherwise. */
  decides(condition: Mutant): boolean;
  /** Whether a boot would show that this condition is another. */
  tells(condition: Mutant): boolean;
}

/**
 * Of what is decided, that on which anything depends: a kernel without the capability asks for
 * none, mappings are non-global once, and what can_set_direct_map() is in map_mem() acts by the
 * others.
 */
function visibleOf(traits: KernelTraits, decisions: Decisions) {
  const {
    bootCpuBbml,
    systemBbml,
    linearMapRequiresBbml,
    canSetDirectMapInMapMem: _,
    kpti,
    ...others
  } = decisions;
  const requires = linearMapRequiresBbml === true;
  // Since f12b435de2f2 the capability is asked where it is required only.
  const system = systemBbml && (requires || !traits.splitAsksRequires);
  const capability = traits.bbml === 'none' ? {} : { bootCpuBbml, system, requires };
  return { ...others, ...capability, kpti: kpti || decisions.useNgMappings };
}

type Shown = ReturnType<typeof shown>;

/** Whether a boot would show something else; a kernel that would not boot shows that. */
function showsOther(question: Question, right: Shown): boolean {
  try {
    return !isSame(shown(question), right);
  } catch {
    return true;
  }
}

/** Functions that act by what they decide alone. */
const deciders = new Set(
  Object.values(functions)
    .flat()
    .filter((name) => !/force_pte|split|repaints|mark_rodata_ro|kpti_install/.test(name)),
);

/** Undefined where the kernel cannot run the scenario. */
export function tellingOf(generation: string, scenario: Scenario): Telling | undefined {
  const traits = traitsOfGeneration(generation);
  if (whyUnfit(scenario, { ...traits, builtInDrivers: [], hasModules: true })) return undefined;
  const question = asked(generation, scenario);
  const { machine, facts, probes } = question;
  const inputs = {
    ...question,
    world: machine.world,
    idRegisters: bootTimeCpus(machine, facts.idRegisters),
  };
  const decisions = () => decide(traits, inputs, () => {});
  const decided = () => JSON.stringify(decisions());
  const outcome = () => JSON.stringify(visibleOf(traits, decisions()));
  const inDecisions = visitedBy(decisions);
  const right = outcome();
  const { bootCpuBbml } = decisions();
  return {
    scenario,
    kind: `${machine.world} world, ${bootCpuBbml ? 'with' : 'without'} the capability`,
    decides: ({ id }) => inDecisions.has(id) && withMutant(id, outcome) !== right,
    tells: tellerOf(question, decided, machine.late || asksForCpus(probes)),
  };
}

/**
 * Answers whether a boot shows a condition; what it shows is found out when first asked, and for
 * each set of decisions once.
 */
function tellerOf(
  question: Question,
  decided: () => string,
  hasLateCpus: boolean,
): Telling['tells'] {
  let base:
    | { whole: Shown; visited: ReadonlySet<number>; changed: Map<string, boolean> }
    | undefined;
  const look = () => {
    let whole: Shown | undefined;
    const visited = visitedBy(() => {
      whole = shown(question);
    });
    return { whole: given(whole), visited, changed: new Map([[decided(), false]]) };
  };
  const answers = new Map<number, boolean>();
  const tells: Telling['tells'] = ({ id, file, within }) => {
    base ??= look();
    const { whole, visited, changed } = base;
    if (!visited.has(id)) return false;
    const isChanged = () => withMutant(id, () => showsOther(question, whole));
    // These act by what is decided alone, but for CPUs that come late.
    const byDecisions = deciders.has(within ?? '');
    if (!byDecisions || (hasLateCpus && file.endsWith('cpufeature.ts'))) return isChanged();
    const key = withMutant(id, decided);
    const answer = changed.get(key) ?? isChanged();
    changed.set(key, answer);
    return answer;
  };
  return (condition) => {
    const answer = answers.get(condition.id) ?? tells(condition);
    answers.set(condition.id, answer);
    return answer;
  };
}

/** A condition in words, which stay as they are when lines move. */
export function nameOf({ within, from, to }: Mutant): string {
  return `${within}(): ${from} as ${to}`.replaceAll(/\s+/g, ' ');
}

export { generations, scenarioNamed };
