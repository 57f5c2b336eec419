// SPDX-License-Identifier: GPL-2.0-only
import { foldPairs } from '../../compare/fold.ts';
import type { Composition, DifferenceGroup } from '../../compare/types.ts';
import { stableJson } from '../../stable-json.ts';
import { compositionKinds } from '../leaf-kinds.ts';
import { column, hang, plainLine, wrap } from '../plain-text.ts';
import { formatMebibytes, shortHash } from '../units.ts';
import { reasonOf, type SidedStep, statements, tellingComposition } from './lines.ts';
import { extent, verdictLine } from './summary.ts';
import type { ComparisonReport, SideIdentity } from './types.ts';

/** Width of mails to a list. */
export const mailWidth = 72;

const listedNames = 8;
const listedSteps = 6;

function sideLines(letter: string, side: SideIdentity): string[] {
  const kernels = side.kernels.map(
    ({ release, sha256 }) => `${release}, Image ${shortHash(sha256)}`,
  );
  return [
    ...hang(`  ${letter}  `, plainLine(side.asked), mailWidth),
    ...kernels.slice(0, listedNames).flatMap((text) => hang('     ', plainLine(text), mailWidth)),
    ...(kernels.length > listedNames ? [`     and ${kernels.length - listedNames} more`] : []),
  ];
}

/** Names in a list that is kept short. */
function names(all: readonly string[]): string {
  const shown = all.slice(0, listedNames).map((name) => plainLine(name));
  return all.length > listedNames
    ? `${shown.join(', ')} and ${all.length - listedNames} more`
    : shown.join(', ');
}

/** Bytes by kind of both sides in MiB; exactly 72 columns. */
function compositionLines({ checkpoint, a, b }: Composition): string[] {
  const labels = [...compositionKinds, 'tables'];
  const row = (head: string, cells: readonly string[]): string =>
    `     ${column(head, 11)}${cells.map((cell) => column(cell, 8, 'right')).join('')}`;
  const cells = (side: Composition['a']): string[] => [
    ...compositionKinds.map((kind) => (side[kind] === 0 ? '-' : formatMebibytes(side[kind]))),
    String(side.tables),
  ];
  return [
    row(`MiB`, labels),
    row(`A`, cells(a)),
    row(`B`, cells(b)),
    `     (linear map at ${checkpoint})`,
  ];
}

/** What earlier groups have already said. */
interface Told {
  compositions: Set<Composition>;
  /** Steps, with the number of the group that printed them. */
  steps: Map<string, number>;
}

const letters = { A: 'A', B: 'B', both: 'A, B' };

/** Steps below the function that takes them, which is printed once. */
function stepLines(steps: readonly SidedStep[]): string[] {
  let named = '';
  return steps.flatMap(({ side, step }) => {
    const head = `${step.where} (${step.source})`;
    const lines = [
      ...(head === named ? [] : hang('     ', plainLine(head), mailWidth)),
      ...hang(`     ${letters[side]}  `, plainLine(step.outcome), mailWidth),
    ];
    named = head;
    return lines;
  });
}

/** The groups that have already printed some of the steps, with their functions. */
function referenceLines(steps: readonly SidedStep[], told: ReadonlyMap<string, number>): string[] {
  const byGroup = Map.groupBy(steps, (step) => told.get(stableJson(step)));
  return [...byGroup].flatMap(([group, those]) => {
    const functions = [...new Set(those.map(({ step }) => step.where))];
    return hang('     ', plainLine(`${functions.join(', ')}: as in ${group}`), mailWidth);
  });
}

function reasonLines(group: DifferenceGroup, number: number, told: Told): string[] {
  const { sentence, steps } = reasonOf(group);
  const isTold = (step: SidedStep): boolean => told.steps.has(stableJson(step));
  const fresh = steps.filter((step) => !isTold(step));
  const lines = [
    ...hang('   - ', plainLine(sentence), mailWidth),
    ...referenceLines(steps.filter(isTold), told.steps),
    ...stepLines(fresh.slice(0, listedSteps)),
    ...(fresh.length > listedSteps ? [`     and ${fresh.length - listedSteps} more steps`] : []),
  ];
  for (const step of fresh.slice(0, listedSteps)) told.steps.set(stableJson(step), number);
  return lines;
}

function groupLines(group: DifferenceGroup, index: number, total: number, told: Told): string[] {
  const { names: scenarios } = group;
  const head =
    scenarios.length === total && total > 1
      ? `In all ${total} scenarios:`
      : scenarios.length === 1
        ? `In ${names(scenarios)}:`
        : `In ${scenarios.length} of ${total} scenarios: ${names(scenarios)}`;
  const telling = tellingComposition(group);
  // Numbers that were already printed above add nothing.
  const composition = telling && !told.compositions.has(telling) ? telling : undefined;
  if (composition) told.compositions.add(composition);
  return [
    ...hang(`${index + 1}. `, head, mailWidth),
    ...statements(group).flatMap(({ what, change }) =>
      hang('   * ', plainLine(`${what}: ${change}`), mailWidth),
    ),
    ...(composition ? compositionLines(composition) : []),
    ...reasonLines(group, index + 1, told),
    '',
  ];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [...wrap(title, mailWidth), ...lines, ''];
}

/** Clauses about memory that only moved, each with the number of scenarios for which it holds. */
function movedLines({ pairs }: ComparisonReport): string[] {
  const counts = new Map<string, number>();
  for (const { moved } of pairs)
    for (const clause of moved) counts.set(clause, (counts.get(clause) ?? 0) + 1);
  return [...counts].flatMap(([clause, count]) =>
    hang('  ', `${clause} (${count === pairs.length ? 'all' : count})`, mailWidth),
  );
}

/**
 * The comparison as a mail: at most 72 columns, each difference once with the scenarios that show
 * it, numbers from the first of them. Ends with a newline.
 */
export function formatComparison(report: ComparisonReport): string {
  const { sides, pairs } = report;
  const groups = foldPairs(pairs);
  const told: Told = { compositions: new Set(), steps: new Map() };
  const lines = [
    'ptdiff compare: what the page tables of two kernels were',
    '',
    ...sideLines('A', sides.a),
    ...sideLines('B', sides.b),
    '',
    ...wrap(plainLine(verdictLine(report)), mailWidth),
    ...wrap(`Compared: ${extent(report)}.`, mailWidth),
    '',
    ...groups.flatMap((group, index) => groupLines(group, index, pairs.length, told)),
    ...section('Moved or resized, mapped by the same rules (scenarios):', movedLines(report)),
    ...section(
      'Refused, since the scenarios differ:',
      report.refused.flatMap(({ name, reasons }) =>
        hang('  ', plainLine(`${name}: ${reasons.join('; ')}`), mailWidth),
      ),
    ),
    ...section(
      'Not compared:',
      [...Map.groupBy(report.uncompared, ({ reason }) => reason)].flatMap(([reason, those]) =>
        hang('  ', plainLine(`${reason}: ${names(those.map(({ name }) => name))}`), mailWidth),
      ),
    ),
    ...section(
      'Not alike besides the kernels:',
      report.unlike.flatMap((sentence) => hang('  ', plainLine(sentence), mailWidth)),
    ),
    ...wrap(`QEMU ${plainLine(sides.b.emulator.version)}, ptdiff ${sides.b.model}.`, mailWidth),
  ];
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}
