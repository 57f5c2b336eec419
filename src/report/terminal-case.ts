// SPDX-License-Identifier: GPL-2.0-only

import { notPredicted } from '../diff/judge-tables.ts';
import { countText } from '../diff/text.ts';
import type { CaseResult, Finding, LinearMapSizes } from '../diff/types.ts';
import { checkpointNames } from '../evidence/capture.ts';
import { linearMapSizes } from '../linux/leaf-kind.ts';
import type { DerivationStep } from '../model/types.ts';
import { stage1Regime } from '../vmsa/regime.ts';
import { type Paint, type PaintOptions, painter, tableWidth } from './colour.ts';
import { capturedEntries, decisionEntries } from './decision-entries.ts';
import { depthWords, notLookedAtLines } from './early.ts';
import { titleOf } from './fold-findings.ts';
import { acceptedText, compositionKinds, kindLabel, sameSizes } from './leaf-kinds.ts';
import { column, fit, hang, plainLine, preformatted } from './plain-text.ts';
import { updateLines } from './terminal-updates.ts';
import type { CaseDossier, CaseDrawing } from './types.ts';
import { formatMebibytes, formatSeconds } from './units.ts';
import { verdictStyles } from './verdicts.ts';

/** Wide enough for the longest name of a decision. */
const fieldWidth = 42;
const labelWidth = 26;

function field(label: string, value: string, paint: Paint): string[] {
  const head = fit(`  ${plainLine(label)}`, Math.max(fieldWidth - 2, tableWidth(paint) / 2));
  return hang(`${head}  `.padEnd(fieldWidth), plainLine(value), paint.width);
}

/** The decisions of the kernel, one per line: 'force_pte_mapping()  yes'. */
export function decisionLines(
  dossier: Pick<CaseDossier, 'decisions' | 'derivation'>,
  paint: Paint,
): string[] {
  return decisionEntries(dossier).flatMap(([name, value]) => field(name, value, paint));
}

/** The derivation, one paragraph per step: the rule, its place in the kernel, and its result. */
export function derivationLines(steps: readonly DerivationStep[], paint: Paint): string[] {
  const digits = String(steps.length).length;
  return steps.flatMap((step, index) => {
    const [first = '', ...rest] = hang(
      `  ${String(index + 1).padStart(digits)}. `,
      plainLine(step.where),
      paint.width,
    );
    const indent = ' '.repeat(digits + 4);
    return [
      paint('1', first),
      ...rest,
      ...hang(indent, plainLine(step.outcome), paint.width),
      ...hang(indent, plainLine(step.source), paint.width).map((line) => paint('2', line)),
    ];
  });
}

/** The columns of a composition: the kinds that occur, as wide as the terminal allows. */
interface SizeColumns {
  kinds: (typeof compositionKinds)[number][];
  width: number;
}

/** The width of a label with its size; no number is wider than the minimum. */
const sizeWidth = { most: 12, least: 9 };

function sizeColumns(rows: readonly LinearMapSizes[], paint: Paint): SizeColumns {
  const kinds = compositionKinds.filter((kind) => rows.some((sizes) => sizes[kind] > 0));
  const room = Math.floor((tableWidth(paint) - labelWidth) / Math.max(1, kinds.length));
  return { kinds, width: Math.max(sizeWidth.least, Math.min(sizeWidth.most, room)) };
}

function compositionRow(
  label: string,
  sizes: LinearMapSizes,
  { kinds, width }: SizeColumns,
): string {
  const cells = kinds.map((kind) =>
    column(sizes[kind] === 0 ? '-' : formatMebibytes(sizes[kind]), width, 'right'),
  );
  return `${column(`  ${label}`, labelWidth)}${cells.join('')}`;
}

function compositionHeader(
  drawing: CaseDrawing | undefined,
  { kinds, width }: SizeColumns,
): string {
  const granule =
    drawing === undefined ? undefined : stage1Regime(drawing.registers, 'ttbr1').granule;
  const labels = kinds.map((kind) => {
    const label = kind === 'invalid' || granule === undefined ? kind : kindLabel(granule, kind);
    return column(label.length < width ? label : kind, width, 'right');
  });
  return `${column('  MiB of linear map', labelWidth)}${labels.join('')}`;
}

/** Predicted and actual bytes by leaf kind, two rows per checkpoint, and their differences. */
function compositionLines(result: CaseResult, dossier: CaseDossier, paint: Paint): string[] {
  const reached = checkpointNames.flatMap((name) => {
    const actual = result.linearMap[name];
    const drawing = dossier.drawings.find(({ checkpoint }) => checkpoint === name);
    return actual === undefined
      ? []
      : [{ name, actual, drawing, predicted: drawing && linearMapSizes(drawing.predicted) }];
  });
  if (reached.length === 0) return ['  No checkpoint was reached.'];
  const columns = sizeColumns(
    reached.flatMap(({ actual, predicted }) => [actual, ...(predicted ? [predicted] : [])]),
    paint,
  );
  const lines = [paint('1', compositionHeader(dossier.drawings[0], columns))];
  for (const { name, actual, drawing, predicted } of reached) {
    if (predicted !== undefined)
      lines.push(compositionRow(`${name} predicted`, predicted, columns));
    lines.push(compositionRow(`${name} actual`, actual, columns));
    if (drawing === undefined || predicted === undefined) continue;
    const stretches = drawing.differences.length;
    if (stretches > 0)
      lines.push(
        paint('31', `  ${name}: ${countText(stretches, 'stretch', 'stretches')} of leaves differ`),
      );
    else if (!sameSizes(predicted, actual)) lines.push(paint('2', `  ${name}: ${acceptedText}`));
  }
  return lines;
}

function findingLines(finding: Finding, paint: Paint): string[] {
  return [
    ...hang('  ', plainLine(titleOf(finding)), paint.width).map((line) => paint('1', line)),
    `  ${plainLine(finding.id)}`,
    ...(finding.known === undefined
      ? []
      : hang('  ', `known issue ${plainLine(finding.known)}`, paint.width)),
    ...preformatted(finding.detail, '    ', paint.width),
    '',
  ];
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint('1;4', title), ...lines, ''];
}

function headLines(result: CaseResult, paint: Paint): string[] {
  const { sgr, meaning: usual } = verdictStyles[result.verdict];
  const isBlind = result.verdict === 'pass' && result.symbols.grade === notPredicted;
  const meaning = isBlind ? 'nothing is predicted, and no invariant is broken' : usual;
  return [
    ...hang('', plainLine(result.case), paint.width).map((line) => paint('1', line)),
    ...hang(column('  verdict', fieldWidth), `${result.verdict} (${meaning})`, paint.width).map(
      (line) => paint(sgr, line),
    ),
    ...(result.reason === undefined ? [] : field('reason', result.reason, paint)),
    ...field('kernel', `${result.kernel.release} (${result.kernel.spec})`, paint),
    ...field('Image sha256', result.kernel.sha256, paint),
    ...field('model generation', result.kernel.generation, paint),
    ...field('scenario', result.scenario, paint),
    ...field('booted', depthWords(result), paint),
    ...field('took', formatSeconds(result.seconds), paint),
    '',
  ];
}

/** One case for a terminal, with everything from its folder. Ends with a newline. */
export function formatCase(
  result: CaseResult,
  dossier: CaseDossier,
  options: PaintOptions,
): string {
  const paint = painter(options);
  const captured = capturedEntries(result).flatMap(([name, value]) => field(name, value, paint));
  const decisions = decisionLines(dossier, paint);
  const findings = result.findings.flatMap((finding) => findingLines(finding, paint)).slice(0, -1);
  // The command is meant to be copied: it stays on one line whatever its length.
  const repro = dossier.repro === undefined ? [] : [`  ${plainLine(dossier.repro)}`];
  const console_ =
    dossier.consoleTail === undefined
      ? []
      : preformatted(dossier.consoleTail.trimEnd(), '  ', paint.width);
  const lines = [
    ...headLines(result, paint),
    ...(dossier.unreadable ?? []).flatMap((text) => hang('  ', plainLine(text), paint.width)),
    ...section(
      'Assumed, not known',
      (result.notes ?? []).flatMap((note) => hang('  ', plainLine(note), paint.width)),
      paint,
    ),
    ...section(
      'Not looked at',
      notLookedAtLines(dossier).flatMap((line) => hang('  ', plainLine(line), paint.width)),
      paint,
    ),
    ...section('Composition of the linear map', compositionLines(result, dossier, paint), paint),
    ...section('Changes of tables, by FEAT_BBM', updateLines(result.updates, paint), paint),
    ...section('Findings', findings, paint),
    ...section('Decisions, predicted', decisions, paint),
    ...section('Captured from the kernel', captured, paint),
    ...section('Derivation', derivationLines(dossier.derivation ?? [], paint), paint),
    ...section('End of the console', result.verdict === 'pass' ? [] : console_, paint),
    ...section('Boot it again', repro, paint),
  ];
  return `${lines.slice(0, -1).join('\n')}\n`;
}
