// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import { earlyEnd } from '../../src/evidence/capture.ts';
import type { Question } from '../../src/model/question.ts';
import type { Scenario } from '../../src/scenario/types.ts';
import { stableJson } from '../../src/stable-json.ts';
import type { Mutant } from '../mutants/find-mutants.ts';
import { visitedBy, withMutant } from '../mutants/install.ts';
import { isSame } from '../same-json.ts';
import { conditions, nameOf } from '../scenario/conditions.ts';

// Loaded behind the conditions, which put the mutants into the model.
const { asked, shown } = await import('../scenario/asked.ts');
const { tellingLate } = await import('../../src/model/late.ts');
const { lateStepsOn } = await import('./late-scenarios.ts');

type Outcome = ReturnType<typeof shown> | string;

/** What a boot shows; a kernel that would not boot shows that. */
function outcome(question: Question): Outcome {
  try {
    return shown(question);
  } catch (error) {
    return String(error);
  }
}

interface Late {
  /** Whether a boot in full shows that a condition is another one, and an early one does not. */
  tells(condition: Mutant): boolean;
}

function lateOf(generation: string, scenario: Scenario): Late {
  const full = asked(generation, scenario);
  const early: Question = { ...full, probes: [], until: earlyEnd };
  let base: { full: Outcome; early: Outcome; visited: ReadonlySet<number> } | undefined;
  const look = () => {
    let whole: Outcome = '';
    const visited = visitedBy(() => {
      whole = outcome(full);
    });
    return { full: whole, early: outcome(early), visited };
  };
  return {
    tells: ({ id }) => {
      base ??= look();
      if (!base.visited.has(id)) return false;
      const { full: right, early: begun } = base;
      return withMutant(id, () => !isSame(outcome(full), right) && isSame(outcome(early), begun));
    },
  };
}

/** Decision functions that are asked again when the early end is behind. */
const askedLate = new Set(['mark_rodata_ro', 'can_set_direct_map', 'split_leaf_mapping_possible']);

t.test('what only a full boot can show of a condition, one booted in full shows', async (t) => {
  const steps = lateStepsOn('7.3');
  const full = tellingLate(steps);
  t.ok(full.size * 2 < steps.size, `${full.size} of ${steps.size} are booted in full`);
  // Of early ones that say they show the same late, one stands for all.
  const unlike = new Map([...steps].map(([scenario, own]) => [stableJson(own), scenario]));
  for (const scenario of full) unlike.set(stableJson(steps.get(scenario)), scenario);
  const late = [...new Set([...full, ...unlike.values()])].map((scenario) => ({
    scenario,
    ...lateOf('7.3', scenario),
  }));
  let told = 0;
  for (const condition of conditions) {
    if (!askedLate.has(condition.within ?? '')) continue;
    const teller = late.find(({ tells }) => tells(condition))?.scenario;
    if (teller === undefined) continue;
    told++;
    // Those in full come first: an early one is found where none of them tells.
    t.ok(full.has(teller), `${nameOf(condition)}: ${teller.name}`);
  }
  t.ok(told > 0, `${told} conditions`);
});
