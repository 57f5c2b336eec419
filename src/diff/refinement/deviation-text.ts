// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { PTE_CONT } from '../../linux/pgprot.ts';
import { NONE, TABLE } from '../../model/linear-map.ts';
import { join } from '../../vmsa/descriptor-layout.ts';
import { describeDescriptor } from '../describe-descriptor.ts';
import { describeLeaf } from '../describe-leaf.ts';
import { hex } from '../text.ts';
import type { Deviation, Predicted } from './deviation.ts';
import type { Write } from './mirror-table.ts';
import type { RecordedMap } from './recorded-map.ts';

/* Words for what was predicted and what was found, of one entry. */

export function foundText(map: RecordedMap, level: number, low: number, high: number): string {
  return describeDescriptor(map.regime, level, low, high);
}

export function codeText(
  map: RecordedMap,
  { layout }: Write['table'],
  code: number,
  pa: number,
): string {
  if (code === NONE) return 'nothing';
  const { low, high } = map.wordsOf(code);
  const leaf = {
    va: 0n,
    pa,
    size: 2 ** layout.shift,
    level: layout.level,
    contiguous: (map.attributes(code) & PTE_CONT) !== 0n,
    valid: (low & 1) === 1,
    attributes: join(low, high),
    tableAttributes: 0,
  };
  return `${describeLeaf(map.regime, leaf)}, at ${hex(pa)}`;
}

export function expectedText({ map, model, physBase }: Predicted, write: Write): string {
  const { table, index, code, link } = write;
  if (code === TABLE)
    return link ? `a table, ${hex(link.table.descriptor)}` : 'the same table, non-global';
  const words = table.recorded?.words;
  const pa = model.maps
    ? physBase + table.offset + index * table.entrySize
    : map.addressOf(table.layout, words?.[2 * index] ?? 0, words?.[2 * index + 1] ?? 0);
  return codeText(map, table, code, pa);
}

export function placeOf(map: RecordedMap, { table, index }: Write): { va: bigint; level: number } {
  return { va: map.start + BigInt(table.offset + index * table.entrySize), level: table.level };
}

export function whereText(map: RecordedMap, table: RecordedTable, index: number): string {
  const { at } = whereOf(map, table, index);
  const place = at ? hex(at.va) : `entry ${index} of the table at ${hex(table.pa)}`;
  return `at ${place}, level ${table.level}: `;
}

/** Where a recorded entry is, if its table is known to the map. */
export function whereOf(
  map: RecordedMap,
  table: RecordedTable,
  index: number,
): Pick<Deviation, 'at'> {
  const mirror = map.mirrorOf(table);
  if (mirror === undefined) return {};
  const va = map.start + BigInt(mirror.offset + index * mirror.entrySize);
  return { at: { va, level: mirror.level } };
}
