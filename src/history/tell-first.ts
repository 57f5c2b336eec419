// SPDX-License-Identifier: GPL-2.0-only
import { tellingScenarios } from '../scenario/telling.ts';
import type { Look } from './types.ts';

/** How often looks at a scenario showed what no known issue explains, and anything at all. */
interface Record {
  looks: number;
  fresh: number;
  any: number;
}

function recordsOf(looks: readonly Look[]): Map<string, Record> {
  const records = new Map<string, Record>();
  for (const { scenario, findings, verdict } of looks) {
    if (verdict === 'error') continue;
    const before = records.get(scenario.name) ?? { looks: 0, fresh: 0, any: 0 };
    records.set(scenario.name, {
      looks: before.looks + 1,
      fresh: before.fresh + Number(findings.some(({ known }) => known === undefined)),
      any: before.any + Number(findings.length > 0),
    });
  }
  return records;
}

/** Larger is earlier; the parts in their order of weight. */
function weightsOf(scenario: string, records: ReadonlyMap<string, Record>): number[] {
  const { looks, fresh, any } = records.get(scenario) ?? { looks: 0, fresh: 0, any: 0 };
  const place = tellingScenarios.indexOf(scenario);
  return [
    looks === 0 ? 0 : fresh / looks,
    Number(looks === 0),
    looks === 0 ? 0 : any / looks,
    place < 0 ? 0 : tellingScenarios.length - place,
  ];
}

/**
 * The cases of a run in the order in which they are likely to tell something: first the scenarios
 * that most often showed a finding that no known issue explains; then those that nobody has looked
 * at; then those that most often showed anything; and where the history does not say, the most
 * telling first. Otherwise the order stays.
 * @param looks earlier looks at these scenarios, on any kernel
 */
export function tellFirst<Case extends { scenario: string }>(
  cases: readonly Case[],
  looks: readonly Look[],
): Case[] {
  const records = recordsOf(looks);
  const weights = new Map(
    cases.map(({ scenario }) => [scenario, weightsOf(scenario, records)] as const),
  );
  const compare = (left: readonly number[], right: readonly number[]): number => {
    const index = left.findIndex((weight, at) => weight !== right[at]);
    return index < 0 ? 0 : (right[index] ?? 0) - (left[index] ?? 0);
  };
  return [...cases].sort((left, right) =>
    compare(weights.get(left.scenario) ?? [], weights.get(right.scenario) ?? []),
  );
}
