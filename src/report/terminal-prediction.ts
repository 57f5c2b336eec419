// SPDX-License-Identifier: GPL-2.0-only
import { checkpointNames } from '../evidence/capture.ts';
import { geometryOf, levelShift } from '../linux/geometry.ts';
import { leafKind, linearMapSizes } from '../linux/leaf-kind.ts';
import { PTE_CONT, PTE_VALID } from '../linux/pgprot.ts';
import type { LeafChange, LeafState } from '../model/leaf-life.ts';
import type { PredictedRun, Prediction } from '../model/types.ts';
import type { Granule, Level } from '../vmsa/types.ts';
import { citation } from './change-table.ts';
import { type Paint, type PaintOptions, painter } from './colour.ts';
import { compositionKinds, kindLabel, shadeOf } from './leaf-kinds.ts';
import { column, hang, plainLine } from './plain-text.ts';
import { decisionLines, derivationLines } from './terminal-case.ts';
import { formatBytes, formatPhysical, formatVirtual } from './units.ts';

/** The subject of a prediction. */
export interface Subject {
  kernel: string;
  scenario: string;
  granule: Granule;
}

function runLine(run: PredictedRun, granule: Granule, paint: Paint): string[] {
  const shade = shadeOf(run, undefined);
  const columns = [
    `  ${formatVirtual(run.va)}`,
    column(formatPhysical(run.pa), 12, 'right'),
    column(formatBytes(run.size), 11, 'right'),
    column(kindLabel(granule, leafKind(run)), 12),
    column(shade === 'invalid' ? 'inval' : shade, 5),
  ];
  return hang(`${columns.join('  ')}  `, plainLine(run.why), paint.width);
}

function total(runs: readonly PredictedRun[], granule: Granule): string {
  const sizes = linearMapSizes(runs);
  return compositionKinds
    .filter((kind) => sizes[kind] > 0)
    .map(
      (kind) =>
        `${formatBytes(sizes[kind])} ${kind === 'invalid' ? kind : `in ${kindLabel(granule, kind)}`}`,
    )
    .join(', ');
}

function checkpointLines(prediction: Prediction, granule: Granule, paint: Paint): string[] {
  return checkpointNames.flatMap((name) => {
    const checkpoint = prediction.checkpoints[name];
    if (checkpoint === undefined) return [];
    return [
      paint('1;4', `Linear map at ${name}`),
      ...hang('  ', total(checkpoint.leaves, granule), paint.width),
      ...checkpoint.leaves.flatMap((run) => runLine(run, granule, paint)),
      ...Object.entries(checkpoint.variables).map(
        ([symbol, value]) => `  ${plainLine(symbol)} = ${value}`,
      ),
      '',
    ];
  });
}

/**
 * The model's answer without a boot: decisions, derivation step by step, probes, and the layout at
 * each checkpoint as a list of runs. Ends with a newline.
 */
export function formatPrediction(
  prediction: Prediction,
  subject: Subject,
  options: PaintOptions,
): string {
  const paint = painter(options);
  const { start, end } = prediction.linearRegion;
  const newer = prediction.newerThanKnown
    ? hang(
        '  ',
        'The kernel is newer than every generation the model knows; this is what the newest would do.',
        paint.width,
      )
    : [];
  const probes = prediction.probes.flatMap(({ probe, errno, why }) =>
    hang(
      `  ${probe}  `,
      `${errno === 0 ? 'works' : `errno ${errno}`}: ${plainLine(why)}`,
      paint.width,
    ),
  );
  const lines = [
    ...hang('', `${plainLine(subject.kernel)} × ${plainLine(subject.scenario)}`, paint.width).map(
      (line) => paint('1', line),
    ),
    ...hang('  generation  ', plainLine(prediction.generation), paint.width),
    ...newer,
    `  linear region  ${formatVirtual(start)} to ${formatVirtual(end)}`,
    '',
    paint('1;4', 'Decisions'),
    ...decisionLines(prediction, paint),
    '',
    paint('1;4', 'Derivation'),
    ...derivationLines(prediction.derivation, paint),
    '',
    ...(probes.length > 0 ? [paint('1;4', 'Probes'), ...probes, ''] : []),
    ...checkpointLines(prediction, subject.granule, paint),
  ];
  return `${lines.slice(0, -1).join('\n')}\n`;
}

/**
 * Which rules made one leaf of the linear map, step by step, each with its source and the commits
 * behind it. Ends with a newline.
 * @param va the address in question
 */
export function formatLeafLife(
  changes: readonly LeafChange[],
  subject: Subject & { va: bigint },
  options: PaintOptions,
): string {
  const paint = painter(options);
  const { granule, va } = subject;
  const title = `${formatVirtual(va)} on ${plainLine(subject.kernel)} × ${plainLine(subject.scenario)}`;
  if (changes.length === 0) return `${title}: the linear map never has this address.\n`;
  const lines = changes.flatMap(({ step, leaf, commits }, index) => {
    const { where, outcome, source } = step;
    const now = leaf ? leafText(leaf, granule) : 'not mapped';
    return [
      ...hang(`  ${index + 1}. `, plainLine(where), paint.width).map((line) => paint('1', line)),
      ...hang('     ', plainLine(outcome), paint.width),
      ...[source, ...commits.map(citation)].flatMap((text) =>
        hang('     ', plainLine(text), paint.width).map((line) => paint('2', line)),
      ),
      `     ${now}`,
    ];
  });
  return `${[paint('1', title), ...lines].join('\n')}\n`;
}

/** E.g. 'now 2M, 0xf0000000000711'. */
function leafText({ level, attributes }: LeafState, granule: Granule): string {
  const valid = (attributes & PTE_VALID) === PTE_VALID;
  const size = 2 ** levelShift(geometryOf(granule), level as Level);
  const contiguous = (attributes & PTE_CONT) === PTE_CONT ? ' in a contiguous group' : '';
  return `now a leaf of ${formatBytes(size)}${contiguous}, ${valid ? 'valid' : 'not valid'}: 0x${attributes.toString(16)}`;
}
