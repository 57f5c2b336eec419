// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import {
  identityOf,
  type LoadedSide,
  pairCases,
  unlikeParts,
} from '../../harness/laboratory/compare-sides.ts';
import { onHost, writeText } from '../../host/host-file.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { say } from '../../host/say.ts';
import { readDossier, readStoredCase } from '../../results/run-folder.ts';
import { compareCases } from '../compare/compare-case.ts';
import { foldPairs } from '../compare/fold.ts';
import type { ComparedCase, PairComparison, Sides } from '../compare/types.ts';
import type { CaseResult } from '../diff/types.ts';
import { formatComparisonHtml } from '../report/compare/html.ts';
import { comparisonJson } from '../report/compare/json.ts';
import { formatComparison } from '../report/compare/text.ts';
import type { ComparisonReport } from '../report/compare/types.ts';
import { exitCodes } from './exit-codes.ts';

/** Maximum number of groups whose maps are drawn: nobody reads a page of a hundred pictures. */
const mostDrawn = 12;

function comparedCase(
  { folder }: LoadedSide,
  result: CaseResult,
): ComparedCase & { unreadable: string[] } {
  return { result, ...readStoredCase(folder, result.case) };
}

/** The pairs to draw: the example of each group or, if nothing changed, the first pair. */
function drawnPairs(pairs: readonly PairComparison[]): PairComparison[] {
  const groups = foldPairs(pairs);
  const examples = new Set(
    groups.length > 0 ? groups.map(({ example }) => example) : pairs.slice(0, 1),
  );
  return [...examples].slice(0, mostDrawn);
}

/** Compares everything that both sides have. */
export function compareSides(sides: Sides<LoadedSide>): ComparisonReport {
  const { pairs: paired, refused, uncompared } = pairCases(sides);
  const pairs: PairComparison[] = [];
  for (const { name, a, b } of paired) {
    const [left, right] = [comparedCase(sides.a, a), comparedCase(sides.b, b)];
    const [reason] = [...left.unreadable, ...right.unreadable];
    if (reason === undefined) pairs.push(compareCases(name, { a: left, b: right }));
    else uncompared.push({ name, reason, failed: true });
  }
  const dossiers = (side: LoadedSide, name: string) => readDossier(side.folder, name);
  const drawings = new Map(
    drawnPairs(pairs).map(({ name, cases }) => [
      name,
      { a: dossiers(sides.a, cases.a), b: dossiers(sides.b, cases.b) },
    ]),
  );
  const identities = { a: identityOf(sides.a), b: identityOf(sides.b) };
  return {
    sides: identities,
    unlike: unlikeParts(identities),
    refused,
    uncompared,
    pairs,
    drawings,
  };
}

/**
 * 0: no change; 1: differences; 3: an error kept some pairs from being compared; 2: no pair could
 * be compared, since the sides have nothing in common.
 */
export function comparisonExit({ pairs, refused, uncompared }: ComparisonReport): number {
  if (pairs.some(({ differences }) => differences.length > 0)) return exitCodes.findings;
  if (uncompared.length > 0 && pairs.length === 0) return exitCodes.errors;
  if (refused.length > 0 && pairs.length === 0) return exitCodes.usage;
  return uncompared.some(({ failed }) => failed) ? exitCodes.errors : exitCodes.pass;
}

/** Writes compare.txt, compare.json and compare.html. */
export function writeComparison(
  report: ComparisonReport,
  out: string,
): { text: string; data: string } {
  onHost(out, () => makeFolder(out));
  const text = formatComparison(report);
  const data = comparisonJson(report);
  writeText(join(out, 'compare.txt'), text);
  writeText(join(out, 'compare.json'), data);
  writeText(join(out, 'compare.html'), formatComparisonHtml(report));
  return { text, data };
}

/** Writes the three files, and prints the text or the JSON. */
export function publishComparison(report: ComparisonReport, out: string, json: boolean): void {
  const { text, data } = writeComparison(report, out);
  process.stdout.write(json ? data : text);
  say(`report: ${join(out, 'compare.html')}`);
}
