// SPDX-License-Identifier: GPL-2.0-only
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { kernelParameters } from '../scenario/command-line.ts';
import { expectedIdRegisters } from '../scenario/cpu-registers.ts';
import { asksForCpus, probesOf, type Scenario } from '../scenario/types.ts';
import { stableJson } from '../stable-json.ts';
import { bootTimeCpus } from './arch/arm64/kernel/smp.ts';
import { decide } from './decisions.ts';
import type { Decisions } from './types.ts';

/**
 * Something that a kernel does after smp_cpus_done(), and all that it depends on: two boots with
 * the same of both tell the same of it.
 */
export interface LateStep {
  /** As the subject of a sentence. */
  what: string;
  on: unknown[];
}

/** Parameters that say nothing but what the decisions know. */
const decisive = /^(?:rodata|kfence\.sample_interval|kpti|debug_pagealloc)=/;

/** What a linear map is made of once the boot CPUs are known, and whether that may still change. */
function leavesOf({ forcePteMapping, linearMapRequiresBbml, systemBbml }: Decisions): string {
  if (forcePteMapping) return 'pages';
  if (!linearMapRequiresBbml) return 'large, for good';
  return systemBbml ? 'large, split on demand' : 'repainted to pages';
}

function decisionsFor(traits: KernelTraits, scenario: Scenario): Decisions {
  const { machine, kaslr } = scenario;
  const inputs = {
    parameters: kernelParameters(scenario, traits),
    kaslr,
    world: machine.world,
    idRegisters: bootTimeCpus(machine, expectedIdRegisters(machine)),
  };
  return decide(traits, inputs, () => {});
}

/**
 * What a boot of a scenario can still show after smp_cpus_done(). Up to there the linear map is
 * made, whatever the memory and the CPUs look like, and all of it is compared; from there on it
 * changes only where somebody asks for a change of something that is there: mark_rodata_ro() for
 * the kernel's data, initcalls for memory that they protect, KFENCE, debug_pagealloc, realms for
 * what they share, and the probes of init. Where memory lies, and how much there is, matters where
 * leaves are split and where single pages are shared.
 */
export function lateSteps(traits: KernelTraits, scenario: Scenario): LateStep[] {
  const { machine } = scenario;
  const decisions = decisionsFor(traits, scenario);
  const leaves = leavesOf(decisions);
  const { rodataEnabled, rodataFull, kfenceEarlyInit, debugPagealloc, canSetDirectMap } = decisions;
  const { kpti, useNgMappings, realm, lpa2 } = decisions;
  const memory = [machine.memory, machine.holes, machine.nodes];
  const several = machine.cpus > 1 && !machine.late;
  const attributes = [useNgMappings || kpti, lpa2];
  const splits = leaves === 'large, split on demand';
  const world = [machine.world, realm && machine.firmware];
  const cpus = [machine.cpu, machine.others, machine.cpus];
  const steps: (LateStep | false)[] = [
    { what: 'mark_rodata_ro()', on: [rodataEnabled, leaves, attributes] },
    {
      what: 'what initcalls protect',
      on: [rodataFull, canSetDirectMap, leaves, splits && [several, memory]],
    },
    { what: 'KFENCE at work', on: [kfenceEarlyInit, leaves] },
    debugPagealloc && {
      what: 'debug_pagealloc at work',
      on: [leaves, attributes, several, world],
    },
    realm && {
      what: 'what the realm shares from then on',
      on: [world, machine.its !== false, leaves, several, memory],
    },
    ...probesOf(scenario).map((name) => ({
      what: `the probe ${name}`,
      on: [world, leaves, asksForCpus([name]) ? cpus : canSetDirectMap],
    })),
    ...scenario.parameters
      .filter((word) => !decisive.test(word))
      .map((word) => ({ what: `what ${word} asks for`, on: [leaves] })),
    scenario.plain === true && { what: 'what a plain boot does besides', on: [] },
  ];
  return steps.filter((step) => step !== false);
}

const keyOf = (step: LateStep): string => stableJson(step);

/** Scenarios with what their boots can show late. */
export type LateScenarios = ReadonlyMap<Scenario, readonly LateStep[]>;

/**
 * As few scenarios as show every late step that any of them shows on a kernel, as long as one
 * greedy choice after another finds them; of two that show as much the first in the list.
 * @param chosen scenarios that are booted in full whatever comes of this
 */
export function tellingLate(all: LateScenarios, chosen: readonly Scenario[] = []): Set<Scenario> {
  const rest = new Map([...all].map(([scenario, steps]) => [scenario, new Set(steps.map(keyOf))]));
  const telling = new Set<Scenario>();
  const seen = new Set<string>();
  const choose = (scenario: Scenario): void => {
    telling.add(scenario);
    for (const key of rest.get(scenario) ?? []) seen.add(key);
    rest.delete(scenario);
  };
  chosen.forEach(choose);
  for (;;) {
    let best: { scenario: Scenario; news: number } | undefined;
    for (const [scenario, own] of rest) {
      const news = [...own].filter((key) => !seen.has(key)).length;
      if (news > (best?.news ?? 0)) best = { scenario, news };
    }
    if (!best) return telling;
    choose(best.scenario);
  }
}

/** Something that an early boot did not look at. */
export interface Untold {
  /** As the subject of a sentence. */
  what: string;
  /** Name of the scenario that is booted in full and tells the same of it; absent where none is. */
  by?: string;
}

/**
 * Of scenarios that are booted early what their boots do not look at, and which of those that are
 * booted in full tells it.
 */
export function untoldBy(all: LateScenarios, full: ReadonlySet<Scenario>): Map<Scenario, Untold[]> {
  const tellers = new Map<string, string>();
  for (const [scenario, steps] of all) {
    if (!full.has(scenario)) continue;
    for (const key of steps.map(keyOf)) if (!tellers.has(key)) tellers.set(key, scenario.name);
  }
  const early = [...all].filter(([scenario]) => !full.has(scenario));
  return new Map(
    early.map(([scenario, steps]) => [
      scenario,
      steps.map((step): Untold => {
        const by = tellers.get(keyOf(step));
        return { what: step.what, ...(by !== undefined && { by }) };
      }),
    ]),
  );
}
