// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { LeafRun, Level, Malformed, TablePage, WalkResult } from '../vmsa/types.ts';

/**
 * One walk as text, one item per line, numbers in hexadecimal except for the level:
 *
 *     leaf VA PA SIZE LEVEL c|- v|- ATTRIBUTES TABLEATTRIBUTES
 *     table VA PA LEVEL ATTRIBUTES
 *     malformed VA LEVEL AT|- DESCRIPTOR REASON…
 */
export function formatWalk(walk: WalkResult): string {
  return [
    ...walk.leaves.map(formatLeaf),
    ...walk.tables.map(formatTable),
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
  '# malformed VA LEVEL AT|- DESCRIPTOR REASON: an entry that no walk can follow, and where it lies',
]
  .map((line) => `${line}\n`)
  .join('');

/** The fields after the word that starts a line; parseWalk() counts them. */
type LeafFields = [string, string, string, string, string, string, string, string];
type TableFields = [string, string, string, string];
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
