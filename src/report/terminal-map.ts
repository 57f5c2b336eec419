// SPDX-License-Identifier: GPL-2.0-only
import { clipRun, endOf } from '../diff/runs.ts';
import { type CheckpointName, checkpointNames } from '../evidence/capture.ts';
import { attributesText, levelText, placeText } from '../linux/format-ptdump.ts';
import type { CheckpointPrediction, PredictedRun, Prediction } from '../model/types.ts';
import { partitionPoint } from '../partition-point.ts';
import { type Stage1Regime, stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun, SystemRegisters } from '../vmsa/types.ts';
import { type Paint, type PaintOptions, painter } from './colour.ts';
import { plainLine } from './plain-text.ts';
import type { CaseDrawing } from './types.ts';

/** One row of a map: the stretch between two borders of either side. */
interface Row {
  va: bigint;
  size: number;
  predicted?: PredictedRun;
  actual?: LeafRun;
  differs: boolean;
}

/** The run of an ascending list that covers an address. */
function covering<Run extends LeafRun>(runs: readonly Run[], va: bigint): Run | undefined {
  const run = runs[partitionPoint(runs, (each) => endOf(each) <= va)];
  return run && run.va <= va ? run : undefined;
}

/** Both sides in one list, cut at the borders of either side. */
function rowsOf({ predicted, actual, differences: found }: CaseDrawing): Row[] {
  const differences = found.flatMap((difference) => difference.expected ?? difference.actual ?? []);
  const borders = [
    ...new Set([...predicted, ...actual, ...differences].flatMap((run) => [run.va, endOf(run)])),
  ];
  borders.sort((a, b) => (a < b ? -1 : 1));
  return borders.slice(0, -1).flatMap((va, index) => {
    const end = borders[index + 1] ?? va;
    const [expected, found] = [covering(predicted, va), covering(actual, va)];
    if (!expected && !found) return [];
    return {
      va,
      size: Number(end - va),
      ...(expected && { predicted: clipRun(expected, va, end) }),
      ...(found && { actual: clipRun(found, va, end) }),
      differs: covering(differences, va) !== undefined,
    };
  });
}

const nothing = '-';

function sideText(regime: Stage1Regime, run: LeafRun | undefined): string {
  return run === undefined ? nothing : `${levelText(run)} ${attributesText(regime, run)}`;
}

/**
 * What was found where it differs from the prediction; if words do not distinguish the two, the
 * bits of the descriptor or its address do.
 */
function foundText(expected: string, found: string, actual: LeafRun | undefined): string {
  return expected !== found || !actual
    ? found
    : `${found} 0x${actual.attributes.toString(16)} pa 0x${actual.pa.toString(16)}`;
}

/** Whether a row says the same as the one above it. */
function goesOn(above: Row | undefined, row: Row, text: (row: Row) => string): boolean {
  return (
    above !== undefined && above.va + BigInt(above.size) === row.va && text(above) === text(row)
  );
}

/** Consecutive rows that say the same, joined into one. */
function joinRows(rows: readonly Row[], text: (row: Row) => string): Row[] {
  const joined: Row[] = [];
  for (const row of rows) {
    const above = joined.at(-1);
    if (above && goesOn(above, row, text)) above.size += row.size;
    else joined.push({ ...row });
  }
  return joined;
}

/**
 * The linear map at one checkpoint in the style of the kernel's ptdump, one line per stretch:
 * addresses, size, the prediction, and beside it what was found: '=' where it is the same, '~'
 * where it differs in something that the kernel is free to choose. The last column is the model's
 * explanation.
 */
function mapLines(drawing: CaseDrawing, at: bigint | undefined, paint: Paint): string[] {
  const regime = stage1Regime(drawing.registers, 'ttbr1');
  const actualRegime = drawing.actualRegisters
    ? stage1Regime(drawing.actualRegisters, 'ttbr1')
    : regime;
  const text = ({ predicted, actual, differs }: Row): string => {
    const expected = sideText(regime, predicted);
    const found = sideText(actualRegime, actual);
    const same = differs
      ? foundText(expected, found, actual)
      : expected === found
        ? '='
        : `~ ${found}`;
    return `${expected} | ${same}${predicted ? `  ${plainLine(predicted.why)}` : ''}`;
  };
  const shown = joinRows(rowsOf(drawing), text).filter(
    ({ va, size }) => at === undefined || (va <= at && at < va + BigInt(size)),
  );
  return [
    paint('1;4', `Linear map at ${drawing.checkpoint}: predicted | found`),
    ...shown.map((row) => {
      const line = `${row.differs ? '!' : ' '} ${placeText(row)} ${text(row)}`;
      return row.differs ? paint('31', line) : line;
    }),
    '',
  ];
}

/**
 * Maps of a case, with prediction and result side by side. Lines are not broken: they are for a
 * wide terminal, less -S, or grep. Ends with a newline.
 * @param at an address of the linear map; only its line is printed
 */
export function formatMaps(
  drawings: readonly CaseDrawing[],
  options: PaintOptions & { checkpoint?: string; at?: bigint },
): string {
  const paint = painter(options);
  const { checkpoint, at } = options;
  const wanted = drawings.filter(
    (drawing) => checkpoint === undefined || drawing.checkpoint === checkpoint,
  );
  const lines = wanted.flatMap((drawing) => mapLines(drawing, at, paint));
  return `${lines.slice(0, -1).join('\n')}\n`;
}

/**
 * The registers of CPU 0 as far as they are predicted: enough to know what a descriptor permits.
 */
function predictedRegisters({ registers }: CheckpointPrediction): SystemRegisters {
  const bits = Object.entries(registers[0] ?? {}).map(([name, register]) => [name, register.bits]);
  return {
    TTBR0_EL1: 0n,
    TTBR1_EL1: 0n,
    TCR_EL1: 0n,
    MAIR_EL1: 0n,
    SCTLR_EL1: 0n,
    ...Object.fromEntries(bits),
  };
}

/**
 * Predicted maps in the style of the kernel's ptdump, without a boot: addresses, size, level and
 * attributes, and the model's explanation of each stretch. Lines are not broken. Ends with a
 * newline.
 */
export function formatPredictedMaps(
  { checkpoints }: Pick<Prediction, 'checkpoints'>,
  options: PaintOptions & { checkpoint?: CheckpointName },
): string {
  const paint = painter(options);
  const lines = checkpointNames.flatMap((name) => {
    const checkpoint = checkpoints[name];
    if (checkpoint === undefined || (options.checkpoint ?? name) !== name) return [];
    const regime = stage1Regime(predictedRegisters(checkpoint), 'ttbr1');
    const text = ({ predicted }: Row) =>
      `${sideText(regime, predicted)}  ${plainLine(predicted?.why ?? '')}`;
    const rows = checkpoint.leaves.map((run): Row => ({ ...run, predicted: run, differs: false }));
    const found = joinRows(rows, text).map((row) => `  ${placeText(row)} ${text(row)}`);
    return [paint('1;4', `Linear map at ${name}: predicted`), ...found, ''];
  });
  return `${lines.slice(0, -1).join('\n')}\n`;
}
