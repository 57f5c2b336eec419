// SPDX-License-Identifier: GPL-2.0-only
import { foldPairs } from '../../compare/fold.ts';
import { stableJson } from '../../stable-json.ts';
import { countDifferences, reasonOf, statements } from './lines.ts';
import { totals, verdictLine } from './summary.ts';
import type { ComparisonReport } from './types.ts';

/** Version of the format; raised when a reader of the old format would misread the new one. */
const schema = 1;

/**
 * The comparison as JSON: groups as in the text, and every scenario with what was compared. Ends
 * with a newline.
 */
export function comparisonJson(report: ComparisonReport): string {
  const { sides, unlike, refused, uncompared, pairs } = report;
  const folded = foldPairs(pairs);
  const groups = folded.map((group) => ({
    scenarios: group.names,
    statements: statements(group),
    differences: group.differences,
    compositions: group.example.compositions,
    reason: reasonOf(group),
  }));
  const scenarios = pairs.map(({ name, scenario, cases, differences, moved, compared }) => ({
    name,
    scenario,
    cases,
    differences: differences.map(({ key }) => key),
    moved,
    compared,
  }));
  const value = {
    schema,
    verdict: verdictLine(report),
    differences: countDifferences(folded),
    sides,
    compared: totals(pairs),
    groups,
    scenarios,
    unlike,
    refused,
    uncompared,
  };
  return `${stableJson(value, 1)}\n`;
}
