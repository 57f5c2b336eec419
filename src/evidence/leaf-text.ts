// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { LeafRun, Level, Malformed, TablePage, WalkResult } from '../vmsa/types.ts';

/**
 * One walk as text; with `fold`, tables alike that follow each other in steps are one line:
 * a terabyte has half a million. One item per line, one item per line, numbers in hexadecimal except for the level:
 *
 *     leaf VA PA SIZE LEVEL c|- v|- ATTRIBUTES TABLEATTRIBUTES
 *     table VA PA LEVEL ATTRIBUTES
 *     tables VA PA LEVEL ATTRIBUTES COUNT BYTES STRIDE
 *     malformed VA LEVEL AT|- DESCRIPTOR REASON…
 */
export function formatWalk(walk: WalkResult, { fold = false } = {}): string {
  return [
    ...walk.leaves.map(formatLeaf),
    ...(fold ? formatTables(walk.tables) : walk.tables.map(formatTable)),
    ...walk.malformed.map(formatMalformed),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

/** What someone who opens the file needs to know; lines that begin with '#' are comments. */
export const walkLegend = [
  '# leaf VA PA SIZE LEVEL c|- v|- ATTRIBUTES TABLEATTRIBUTES',
  '#   a run of leaf entries alike: addresses and bytes; c contiguous bit; v valid, - present but not valid;',
  '#   ATTRIBUTES: the descriptor without its address; TABLEATTRIBUTES: bits 63:59 of all tables above it, or-ed',
  '# table VA PA LEVEL ATTRIBUTES: a table, the first address that it translates, the descriptor that links it',
  '# tables VA PA LEVEL ATTRIBUTES COUNT BYTES STRIDE: COUNT such tables, each BYTES of VA and STRIDE of PA on',
  '# malformed VA LEVEL AT|- DESCRIPTOR REASON: an entry that no walk can follow, and where it lies',
]
  .map((line) => `${line}\n`)
  .join('');

/** The fields after the word that starts a line; parseWalk() counts them. */
type LeafFields = [string, string, string, string, string, string, string, string];
type TableFields = [string, string, string, string];
type TablesFields = [...TableFields, string, string, string];
type MalformedFields = [string, string, string, string, ...string[]];

/** @throws PtdiffError('usage') for a line that formatWalk() did not write. */
export function parseWalk(text: string): WalkResult {
  const walk: WalkResult = { leaves: [], tables: [], malformed: [] };
  for (const line of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const [kind, ...fields] = line.split(' ');
    if (kind === 'leaf' && fields.length === 8) {
      walk.leaves.push(parseLeaf(fields as LeafFields));
    } else if (kind === 'table' && fields.length === 4) {
      walk.tables.push(parseTable(fields as TableFields));
    } else if (kind === 'tables' && fields.length === 7) {
      for (const table of parseTables(fields as TablesFields)) walk.tables.push(table);
    } else if (kind === 'malformed' && fields.length >= 5) {
      walk.malformed.push(parseMalformed(fields as MalformedFields));
    } else {
      throw new PtdiffError(
        'usage',
        `This is not a line of a recorded walk: '${line.slice(0, 80)}'.`,
      );
    }
  }
  return walk;
}

function formatLeaf(leaf: LeafRun): string {
  const flags = [leaf.contiguous ? 'c' : '-', leaf.valid ? 'v' : '-'];
  return [
    ...['leaf', hex(leaf.va), hex(leaf.pa), hex(leaf.size), leaf.level],
    ...[...flags, hex(leaf.attributes), hex(leaf.tableAttributes)],
  ].join(' ');
}

function parseLeaf([
  va,
  pa,
  size,
  level,
  contiguous,
  valid,
  attributes,
  tableAttributes,
]: LeafFields): LeafRun {
  return {
    va: BigInt(va),
    pa: Number(pa),
    size: Number(size),
    level: Number(level) as Level,
    contiguous: contiguous === 'c',
    valid: valid === 'v',
    attributes: BigInt(attributes),
    tableAttributes: Number(tableAttributes),
  };
}

function formatTable(table: TablePage): string {
  return ['table', hex(table.va), hex(table.pa), table.level, hex(table.attributes)].join(' ');
}

function formatTables(tables: readonly TablePage[]): string[] {
  const lines: string[] = [];
  for (let first = 0; first < tables.length; ) {
    const count = alikeFrom(tables, first);
    const [table, second] = [tables[first] as TablePage, tables[first + 1]];
    if (count < 3 || second === undefined) {
      lines.push(formatTable(table));
      first++;
      continue;
    }
    const steps = [hex(second.va - table.va), String(second.pa - table.pa)];
    lines.push([formatTable(table).replace('table', 'tables'), count, ...steps].join(' '));
    first += count;
  }
  return lines;
}

/** How many tables from `first` on are alike, and follow each other in equal steps. */
function alikeFrom(tables: readonly TablePage[], first: number): number {
  const [one, two] = [tables[first], tables[first + 1]];
  if (one === undefined || two === undefined) return 1;
  const [va, pa] = [two.va - one.va, two.pa - one.pa];
  let before = one;
  let count = 1;
  for (; first + count < tables.length; count++) {
    const next = tables[first + count] as TablePage;
    const follows = next.va - before.va === va && next.pa - before.pa === pa;
    if (!follows || next.level !== one.level || next.attributes !== one.attributes) break;
    before = next;
  }
  return count;
}

/** More tables than any machine has that this reads. */
const mostTables = 2 ** 22;

function* parseTables([va, pa, level, attributes, count, bytes, stride]: TablesFields) {
  const first = parseTable([va, pa, level, attributes]);
  const step = BigInt(bytes);
  for (let index = 0; index < Math.min(Number(count), mostTables); index++) {
    yield {
      ...first,
      va: first.va + step * BigInt(index),
      pa: first.pa + Number(stride) * index,
    };
  }
}

function parseTable([va, pa, level, attributes]: TableFields): TablePage {
  return {
    pa: Number(pa),
    level: Number(level) as Level,
    va: BigInt(va),
    attributes: BigInt(attributes),
  };
}

function formatMalformed({ va, level, at, descriptor, reason }: Malformed): string {
  return [
    'malformed',
    hex(va),
    level,
    at === undefined ? '-' : hex(at),
    hex(descriptor),
    reason,
  ].join(' ');
}

function parseMalformed([va, level, at, descriptor, ...reason]: MalformedFields): Malformed {
  return {
    va: BigInt(va),
    level: Number(level) as Level,
    ...(at !== '-' && { at: Number(at) }),
    descriptor: BigInt(descriptor),
    reason: reason.join(' '),
  };
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
