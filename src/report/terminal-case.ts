import { diffLeaves } from '../diff/compare.ts';
import { countText } from '../diff/text.ts';
import type { CaseResult, Finding, LinearMapSizes } from '../diff/types.ts';
import { checkpointNames } from '../linux/capture.ts';
import { linearMapSizes } from '../linux/leaf-kind.ts';
import type { DerivationStep } from '../model/types.ts';
import { stage1Regime } from '../vmsa/regime.ts';
import { type Paint, painter } from './colour.ts';
import { compositionKinds, kindLabel } from './leaf-kinds.ts';
import { column, fit, hang, plainLine, preformatted } from './plain-text.ts';
import { terminalWidth } from './terminal.ts';
import type { CaseDossier, CaseDrawing } from './types.ts';
import { formatMebibytes, formatSeconds } from './units.ts';
import { verdictStyles } from './verdicts.ts';

const labelWidth = 26;

function field(label: string, value: string): string[] {
  const head = fit(`  ${plainLine(label)}`, terminalWidth / 2);
  return hang(`${head}  `.padEnd(labelWidth), plainLine(value), terminalWidth);
}

/** The decisions of the kernel, one a line: 'forcePteMapping  yes'. */
export function decisionLines(decisions: NonNullable<CaseDossier['decisions']>): string[] {
  return Object.entries(decisions)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => field(name, value ? 'yes' : 'no'));
}

/** The derivation, a step a paragraph: which rule, where it stands in the kernel, what it gave. */
export function derivationLines(steps: readonly DerivationStep[], paint: Paint): string[] {
  const digits = String(steps.length).length;
  return steps.flatMap((step, index) => {
    const [first, ...rest] = hang(`  ${String(index + 1).padStart(digits)}. `, plainLine(step.where), terminalWidth);
    const indent = ' '.repeat(digits + 4);
    return [
      paint('1', first),
      ...rest,
      ...hang(indent, plainLine(step.outcome), terminalWidth),
      ...hang(indent, plainLine(step.source), terminalWidth).map((line) => paint('2', line)),
    ];
  });
}

const sizeWidth = 12;

function compositionRow(label: string, sizes: LinearMapSizes): string {
  const cells = compositionKinds.map((kind) =>
    column(sizes[kind] === 0 ? '-' : formatMebibytes(sizes[kind]), sizeWidth, 'right'),
  );
  return `${column(`  ${label}`, labelWidth)}${cells.join('')}`;
}

function compositionHeader(drawing: CaseDrawing | undefined): string {
  const granule = drawing === undefined ? undefined : stage1Regime(drawing.registers, 'ttbr1').granule;
  const labels = compositionKinds.map((kind) => {
    const label = kind === 'invalid' || granule === undefined ? kind : kindLabel(granule, kind);
    return column(label, sizeWidth, 'right');
  });
  return `${column('  MiB of linear map', labelWidth)}${labels.join('')}`;
}

/** Predicted and actual bytes by leaf kind, two rows a checkpoint, and how many stretches differ. */
function compositionLines(result: CaseResult, dossier: CaseDossier, paint: Paint): string[] {
  const reached = checkpointNames.filter((name) => result.linearMap[name] !== undefined);
  if (reached.length === 0) return ['  No checkpoint was reached.'];
  const lines = [paint('1', compositionHeader(dossier.drawings[0]))];
  for (const name of reached) {
    const drawing = dossier.drawings.find(({ checkpoint }) => checkpoint === name);
    if (drawing !== undefined) lines.push(compositionRow(`${name} predicted`, linearMapSizes(drawing.predicted)));
    lines.push(compositionRow(`${name} actual`, result.linearMap[name] as LinearMapSizes));
    if (drawing === undefined) continue;
    const stretches = diffLeaves(drawing.predicted, drawing.actual).length;
    if (stretches > 0)
      lines.push(paint('31', `  ${name}: ${countText(stretches, 'stretch', 'stretches')} of leaves differ`));
  }
  return lines;
}

function findingLines(finding: Finding, paint: Paint): string[] {
  const where = finding.checkpoint === undefined ? finding.kind : `${finding.kind} at ${finding.checkpoint}`;
  return [
    ...hang('  ', plainLine(finding.title), terminalWidth).map((line) => paint('1', line)),
    ...hang('  ', plainLine(`${finding.id}, ${where}`), terminalWidth),
    ...(finding.known === undefined ? [] : hang('  ', `known issue ${plainLine(finding.known)}`, terminalWidth)),
    ...preformatted(finding.detail, '    ', terminalWidth),
    '',
  ];
}

function section(title: string, lines: readonly string[], paint: Paint): string[] {
  return lines.length === 0 ? [] : [paint('1;4', title), ...lines, ''];
}

function headLines(result: CaseResult, paint: Paint): string[] {
  const { sgr, meaning } = verdictStyles[result.verdict];
  return [
    ...hang('', plainLine(result.case), terminalWidth).map((line) => paint('1', line)),
    ...hang(column('  verdict', labelWidth), `${result.verdict} (${meaning})`, terminalWidth).map((line) =>
      paint(sgr, line),
    ),
    ...(result.reason === undefined ? [] : field('reason', result.reason)),
    ...field('kernel', `${result.kernel.release} (${result.kernel.spec})`),
    ...field('Image sha256', result.kernel.sha256),
    ...field('model generation', result.kernel.generation),
    ...field('scenario', result.scenario),
    ...field('took', formatSeconds(result.seconds)),
    '',
  ];
}

/** One case for a terminal, at most 100 columns wide, with everything that its folder holds. Ends with a newline. */
export function formatCase(result: CaseResult, dossier: CaseDossier, options: { colour: boolean }): string {
  const paint = painter(options.colour);
  const captured = Object.entries(result.symbols).flatMap(([name, value]) => field(name, value));
  const decisions = dossier.decisions === undefined ? [] : decisionLines(dossier.decisions);
  const findings = result.findings.flatMap((finding) => findingLines(finding, paint)).slice(0, -1);
  // The command is for copying: it stays one line whatever its length.
  const repro = dossier.repro === undefined ? [] : [`  ${plainLine(dossier.repro)}`];
  const console_ =
    dossier.consoleTail === undefined ? [] : preformatted(dossier.consoleTail.trimEnd(), '  ', terminalWidth);
  const lines = [
    ...headLines(result, paint),
    ...(dossier.unreadable ?? []).flatMap((text) => hang('  ', plainLine(text), terminalWidth)),
    ...section(
      'Assumed, not known',
      (result.notes ?? []).flatMap((note) => hang('  ', plainLine(note), terminalWidth)),
      paint,
    ),
    ...section('Composition of the linear map', compositionLines(result, dossier, paint), paint),
    ...section('Findings', findings, paint),
    ...section('Decisions, predicted', decisions, paint),
    ...section('Captured from the kernel', captured, paint),
    ...section('Derivation', derivationLines(dossier.derivation ?? [], paint), paint),
    ...section('End of the console', result.verdict === 'pass' ? [] : console_, paint),
    ...section('Boot it again', repro, paint),
  ];
  return `${lines.slice(0, -1).join('\n')}\n`;
}
