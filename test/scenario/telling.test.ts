// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { builtInScenarios } from '../../src/scenario/built-in.ts';
import { tellingScenarios } from '../../src/scenario/telling.ts';
import { asksForCpus } from '../../src/scenario/types.ts';
import type { Mutant } from '../mutants/find-mutants.ts';
import {
  conditions,
  generations,
  nameOf,
  scenarioNamed,
  type Telling,
  tellingOf,
} from './conditions.ts';
import { silent } from './silent-conditions.ts';

const isTelling = new Set(tellingScenarios);

t.test('each telling scenario is built in, once', async (t) => {
  t.equal(isTelling.size, tellingScenarios.length);
  for (const name of tellingScenarios) t.ok(scenarioNamed(name), name);
});

/**
 * Rules that are asked in either world and on CPUs of either kind: it must be shown in each that
 * they decide.
 */
const inEachKind = new Set([
  'arm64_kfence_can_set_direct_map',
  'arm64_rsi_init',
  'can_set_direct_map',
  'force_pte_mapping',
  'map_mem_decisions',
  'setup_system_capabilities',
]);

/** What many lists are read with: that it decides must show for one of them, on some generation. */
const inOneList = new Set(['isMidrInRange']);

/**
 * By which boots it must show that a condition decides: those of one kind, or all. How wide
 * addresses are is the same in all.
 */
function kindOf({ kind }: Telling, { within, from }: Mutant): string {
  return inEachKind.has(within ?? '') && !/LargeVa|lpa2|granule/.test(from) ? kind : 'any';
}

/** CPUs that come or go later change no decision. */
const decidedAtBoot = builtInScenarios.filter(({ probes }) => !asksForCpus(probes));

const told = new Set<number>();
/** The scenario that told a condition last, by condition and kind: it is asked first. */
const lastTeller = new Map<string, string>();

/** Those of a kind, the one that told the condition on the generation before this one first. */
function ofKind(telling: readonly Telling[], condition: Mutant, kind: string): Telling[] {
  const last = lastTeller.get(`${condition.id} ${kind}`);
  const own = telling.filter((each) => kindOf(each, condition) === kind);
  return [...own.filter(({ scenario }) => scenario.name === last), ...own];
}

for (const generation of generations) {
  t.test(
    `${generation}: each condition that decides for any scenario is told by a telling one`,
    async (t) => {
      const all = decidedAtBoot.flatMap((scenario) => tellingOf(generation, scenario) ?? []);
      const telling = all.filter(({ scenario }) => isTelling.has(scenario.name));
      for (const condition of conditions) {
        for (const each of telling)
          if (!told.has(condition.id) && each.tells(condition)) told.add(condition.id);
        for (const [kind, group] of Map.groupBy(all, (each) => kindOf(each, condition))) {
          const decided = group.find((each) => each.decides(condition));
          if (!decided) continue;
          const teller = ofKind(telling, condition, kind).find((each) => each.tells(condition));
          if (!teller && inOneList.has(condition.within ?? '') && told.has(condition.id)) continue;
          if (teller) lastTeller.set(`${condition.id} ${kind}`, teller.scenario.name);
          t.ok(teller, `${nameOf(condition)}, in ${kind}: ${decided.scenario.name} would`);
        }
      }
    },
  );
}

t.test(
  'every condition is told on some generation, but for those of which it is known why not',
  async (t) => {
    const untold = conditions.filter(({ id }) => !told.has(id)).map(nameOf);
    for (const name of untold) t.ok(silent.has(name), name);
    for (const name of silent.keys()) t.ok(untold.includes(name), `${name} is not told`);
  },
);
