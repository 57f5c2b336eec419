import { foldPairs } from '../../compare/fold.ts';
import { stableJson } from '../../stable-json.ts';
import { reasonOf } from './lines.ts';
import { totals, verdictLine } from './summary.ts';
import type { ComparisonReport } from './types.ts';

/** Version of the shape; raised when a reader of the old shape would misread the new one. */
const schema = 1;

/** The comparison as JSON: groups as in the text, and every scenario with what was looked at. Ends with a newline. */
export function comparisonJson(report: ComparisonReport): string {
  const { sides, unlike, refused, uncompared, pairs } = report;
  const groups = foldPairs(pairs).map((group) => ({
    scenarios: group.names,
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
