// SPDX-License-Identifier: GPL-2.0-only
import { addressIn } from '../evidence/recorded-places.ts';
import { isTable } from '../vmsa/descriptor.ts';
import { type Forbidden, type Meaning, needsBreak } from './needs-break.ts';
import { pageAt, type Table, type Tables } from './tables.ts';

/** A block, and the first virtual address that it translates, in units of 4 KiB. */
interface Block {
  page: number;
  low: number;
  high: number;
}

/** Address bits of one page in the lower word. */
const addressLow = 0xfffff000;
const contiguous = 1 << (52 - 32);

/**
 * Why a table and a block of the same addresses may not take each other's place even where a change
 * of size is allowed: entries that translate to somewhere else, or as something else. Entries that
 * are not valid are no translation.
 */
export function translationChanges(
  tables: Tables,
  table: Table,
  block: Block,
  how: Meaning,
): Forbidden | undefined {
  const { words, level } = table.recorded;
  for (let index = 0; 2 * index < words.length; index++) {
    const low = words[2 * index] as number;
    const high = words[2 * index + 1] as number;
    if ((low & 1) === 0) continue;
    if (isTable({ low }, level)) {
      const child = tables.at(addressIn(low, high));
      const why =
        child && child.recorded.level > level
          ? translationChanges(tables, child, block, how)
          : undefined;
      if (why) return why;
      continue;
    }
    const part = partOf(block, pageAt(table, index));
    // At level 3 no bit says of a descriptor that it is a table; the contiguous bit is of size.
    const kept = (part.high & ~contiguous) | (high & contiguous);
    const why = needsBreak(part.low, kept, low, high, 3, how);
    if (why) return why;
  }
  return undefined;
}

/** What a block translates one of its addresses to, as a page descriptor of the same attributes. */
function partOf({ page, low, high }: Block, at: number): { low: number; high: number } {
  const offset = (at - page) * 4096;
  const base = (low & addressLow & ~(1 << 16)) >>> 0;
  const sum = base + offset;
  const carry = Math.floor(sum / 2 ** 32);
  const attributes = low & ~addressLow;
  return { low: (sum % 2 ** 32) | 0 | attributes, high: high + carry };
}
