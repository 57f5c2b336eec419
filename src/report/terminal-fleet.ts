// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../diff/text.ts';
import type { LeafKind } from '../linux/leaf-kind.ts';
import { type Fleet, type FleetAge, type FleetRow, fleetKinds } from './fleet.ts';
import { column, hang, plainLine } from './plain-text.ts';
import { formatBytes, formatCount, formatSeconds } from './units.ts';

const heads: Readonly<Record<LeafKind, string>> = {
  pud: 'PUD',
  contPmd: 'CONT PMD',
  pmd: 'PMD',
  contPte: 'CONT PTE',
  page: 'PTE',
};

/** Widths of the columns: 100 together with what is between them. */
const [nameWidth, uptimeWidth, kindWidth, entriesWidth, factorWidth] = [22, 12, 8, 11, 7];

const line = (name: string, uptime: string, kinds: readonly string[], rest: string[]): string =>
  [
    column(name, nameWidth),
    column(uptime, uptimeWidth, 'right'),
    ...kinds.map((text) => column(text, kindWidth, 'right')),
    ...rest,
  ]
    .join(' ')
    .trimEnd();

const percent = (share: number): string => {
  const text = (share * 100).toFixed(1);
  return share === 0 ? '-' : text === '0.0' ? '<0.1' : text;
};

const factorText = (factor: number): string =>
  column(factor < 100 ? factor.toFixed(2) : formatCount(Math.round(factor)), factorWidth, 'right');

function daysText(seconds: number | null): string {
  if (seconds === null) return 'not known';
  const days = Math.floor(seconds / 86_400);
  return days < 2 ? formatSeconds(seconds) : `${formatCount(days)} days`;
}

function rowLine(row: FleetRow): string {
  const { label, uptime, actual, entries, factor, grade } = row;
  const total = fleetKinds.reduce((sum, kind) => sum + actual[kind], 0);
  const shares = fleetKinds.map((kind) => percent(total === 0 ? 0 : actual[kind] / total));
  const mark = grade === 'mismatch' ? '! ' : '';
  return line(mark + plainLine(label), daysText(uptime), shares, [
    column(formatCount(entries), entriesWidth, 'right'),
    factorText(factor),
  ]);
}

function ageLine({ name, boards, shares, factor }: FleetAge): string {
  const kinds = fleetKinds.map((kind) => percent(shares[kind]));
  const blank = column('', entriesWidth);
  return line(name, formatCount(boards), kinds, [blank, factorText(factor)]);
}

/** The machines whose kernels count their linear map otherwise than their tables have it. */
function directMapLines(rows: readonly FleetRow[]): string[] {
  return rows.flatMap(({ label, directMap = [] }) =>
    directMap.flatMap(({ kind, counted, found }) =>
      hang(
        '  ',
        `${plainLine(label)}: DirectMap counts ${formatBytes(counted)} in leaves of kind ${heads[kind]}, and the tables have ${formatBytes(found)}.`,
        100,
      ),
    ),
  );
}

/**
 * The fleet as a table for a terminal: for each machine how much of its linear map, in percent, is
 * in leaves of each kind, how many TLB entries cover it, and how many times as many that are as at
 * its boot; and the same over uptime.
 */
export function fleetLines({ rows, ages }: Fleet): string[] {
  const kinds = fleetKinds.map((kind) => heads[kind]);
  const counted = rows.filter(({ directMap }) => directMap !== undefined);
  const differences = directMapLines(counted);
  return [
    line('MACHINE', 'UPTIME', kinds, [
      column('TLB ENTRIES', entriesWidth, 'right'),
      column('AT BOOT', factorWidth, 'right'),
    ]),
    ...rows.map(rowLine),
    ...(ages.length < 2
      ? []
      : [
          '',
          line('UPTIME', 'MACHINES', kinds, [column('', entriesWidth), ' MEDIAN']),
          ...ages.map(ageLine),
        ]),
    '',
    ...hang(
      '',
      'Columns of leaves are percent of the valid linear map. AT BOOT: how many times as many TLB entries cover it as covered the map that the kernel made. !: it differs from the prediction.',
      100,
    ),
    ...(counted.length === 0
      ? []
      : [
          `DirectMap lines of /proc/meminfo: ${countText(counted.length, 'kernel has', 'kernels have')} them, ${differences.length === 0 ? 'and all count what their tables have.' : 'not all count what their tables have:'}`,
          ...differences,
        ]),
  ];
}
