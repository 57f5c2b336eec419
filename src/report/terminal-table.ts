// SPDX-License-Identifier: GPL-2.0-only
import type { Verdict } from '../diff/types.ts';
import { type Paint, tableWidth } from './colour.ts';
import type { Matrix, MatrixCell, MatrixRow } from './matrix.ts';
import { column, plainLine } from './plain-text.ts';
import { verdictOrder, verdictStyles } from './verdicts.ts';

const usualName = 32;
const countWidth = 4;
const groupSize = 5;

/**
 * Width for the names of kernels; reduced where the counts and one group of cells would not fit.
 */
function nameRoom(width: number, countColumns: number): number {
  return Math.min(usualName, width - countColumns * countWidth - 3 - groupSize);
}

/**
 * Scenarios in one block of the table: groups of five cells with a space between them, in the
 * columns that names and counts leave.
 */
function scenariosPerBlock(width: number, countColumns: number): number {
  const room = width - nameRoom(width, countColumns) - countColumns * countWidth - 3;
  return Math.max(groupSize, Math.floor((room + 1) / (groupSize + 1)) * groupSize);
}

function inGroups(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (index > 0 && index % groupSize === 0 ? ` ${cell}` : cell))
    .join('');
}

function cellText(cell: MatrixCell, paint: Paint): string {
  if (cell.kind === 'ended') {
    const { letter, sgr } = verdictStyles[cell.result.verdict];
    return paint(sgr, letter);
  }
  return paint('2', { planned: '?', 'left-out': '·', absent: ' ' }[cell.kind]);
}

function countOf(row: MatrixRow, verdict: Verdict): string {
  const count = row.cells.filter(
    (cell) => cell.kind === 'ended' && cell.result.verdict === verdict,
  ).length;
  return count === 0 ? '' : String(count);
}

function headerLines(
  first: number,
  count: number,
  verdicts: readonly Verdict[],
  nameWidth: number,
  paint: Paint,
): string[] {
  const numbers = Array.from({ length: count }, (_, index) => first + index + 1);
  const counts = verdicts
    .map((verdict) => column(verdictStyles[verdict].letter, countWidth, 'right'))
    .join('');
  const digits = String(Math.max(...numbers)).length;
  return Array.from({ length: digits }, (_, index) => {
    const place = digits - index - 1;
    const digit = inGroups(
      numbers.map((number) =>
        String(number)
          .padStart(digits)
          .charAt(digits - place - 1),
      ),
    );
    const left =
      place === 0
        ? `${column('kernel', nameWidth)}${counts}`
        : ' '.repeat(nameWidth + counts.length);
    return paint('1', `${left}   ${digit}`.trimEnd());
  });
}

/** The numbered names of the scenarios, in as many columns as fit. */
function scenarioKey(scenarios: readonly string[], width: number): string[] {
  const digits = String(scenarios.length).length;
  const entries = scenarios.map(
    (name, index) => `${String(index + 1).padStart(digits)} ${plainLine(name)}`,
  );
  const columnWidth = Math.min(width, Math.max(...entries.map((entry) => entry.length)) + 2);
  const columns = Math.max(1, Math.floor(width / columnWidth));
  const rows = Math.ceil(entries.length / columns);
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, index) =>
      column(entries[row + index * rows] ?? '', columnWidth),
    )
      .join('')
      .trimEnd(),
  );
}

/**
 * The matrix as a table of at most `width` columns: a row for each kernel with its counts, a letter
 * for each scenario, and below it the numbered names of the scenarios. If there are more scenarios
 * than fit, further blocks follow.
 */
export function tableLines(matrix: Matrix, width: number, paint: Paint): string[] {
  if (matrix.rows.length === 0) return ['No case was planned.'];
  const occurring = verdictOrder.filter((verdict) =>
    matrix.rows.some((row) => countOf(row, verdict) !== ''),
  );
  const perBlock = scenariosPerBlock(width, occurring.length);
  const nameWidth = nameRoom(width, occurring.length);
  const lines: string[] = [];
  for (let first = 0; first < matrix.scenarios.length; first += perBlock) {
    if (first > 0) lines.push('');
    const count = Math.min(perBlock, matrix.scenarios.length - first);
    const verdicts = first === 0 ? occurring : [];
    lines.push(...headerLines(first, count, verdicts, nameWidth, paint));
    for (const row of matrix.rows) {
      const counts = verdicts
        .map((verdict) => column(countOf(row, verdict), countWidth, 'right'))
        .join('');
      const cells = inGroups(
        row.cells.slice(first, first + count).map((cell) => cellText(cell, paint)),
      );
      lines.push(`${column(plainLine(row.name), nameWidth)}${counts}   ${cells}`.trimEnd());
    }
  }
  return [...lines, '', ...scenarioKey(matrix.scenarios, width)];
}

/** The verdicts of each kernel as counts only. */
export function countLines(matrix: Matrix, paint: Paint): string[] {
  const occurring = verdictOrder.filter((verdict) =>
    matrix.rows.some((row) => countOf(row, verdict) !== ''),
  );
  const nameWidth = nameRoom(tableWidth(paint), occurring.length);
  const counts = (text: (verdict: Verdict) => string) =>
    occurring.map((verdict) => column(text(verdict), countWidth, 'right')).join('');
  return [
    paint(
      '1',
      `${column('kernel', nameWidth)}${counts((verdict) => verdictStyles[verdict].letter)}`,
    ),
    ...matrix.rows.map(
      (row) =>
        `${column(plainLine(row.name), nameWidth)}${counts((verdict) => countOf(row, verdict))}`,
    ),
  ];
}
