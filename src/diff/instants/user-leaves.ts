// SPDX-License-Identifier: GPL-2.0-only
import type { LinkedEntry } from '../../evidence/recorded-tables.ts';
import type { RecordedTable } from '../../evidence/recording-reader.ts';
import { isLeaf } from '../../vmsa/descriptor.ts';
import type { Rule } from '../invariants/violation.ts';
import { right } from './leaf-rights.ts';
import { visitLeaves } from './live-tables.ts';
import type { Scene } from './scene.ts';
import type { Instant } from './window.ts';

const tablePage: Rule = {
  name: 'user-mappings-safe',
  nature: 'table-page-writable',
  title: 'user space could write to a translation table page',
  because:
    'A page that holds a table is never mapped writable for EL0: who writes it maps anything.',
};

/** At no instant may user space write to a page that holds a live table of either half. */
export class UserLeaves {
  readonly #scene: Scene;
  /** How often each page is mapped writable for EL0, by its physical address. */
  readonly #writable = new Map<number, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** An entry of a table of user space changes from one descriptor to another. */
  changed(old: LinkedEntry, entry: LinkedEntry, now: Instant): void {
    this.#count(old, -1);
    this.#leaf(entry, now);
  }

  /** A table is linked, of either half, and brings its leaves. */
  linked(table: RecordedTable, now: Instant): void {
    if (!table.upper) visitLeaves(table, (...leaf) => this.#leaf(entryOf(...leaf), now));
    for (const page of this.#scene.tables.pagesOf(table))
      if (this.#writable.has(page)) this.#mappers(page, now);
  }

  unlinked(table: RecordedTable): void {
    if (!table.upper) visitLeaves(table, (...leaf) => this.#count(entryOf(...leaf), -1));
  }

  #leaf(entry: LinkedEntry, now: Instant): void {
    for (const page of this.#count(entry, 1))
      if (this.#scene.tables.isTablePage(page)) this.#found(entry, now);
  }

  /** @returns the pages of the entry, where user space may write to it */
  #count({ table, low, high }: LinkedEntry, by: number): number[] {
    const { lower, tables, boot } = this.#scene;
    if (!isLeaf({ low }, table.level) || !(lower.of(low, high) & right.userWrite)) return [];
    if (!(lower.of(low, high, tables.hierarchical(table)) & right.userWrite)) return [];
    const first = this.#scene.memoryOf(table.level, low, high);
    const pages = Array.from(
      { length: tables.size(table) / boot.granule },
      (_, page) => first + page * boot.granule,
    );
    for (const page of pages) {
      const count = (this.#writable.get(page) ?? 0) + by;
      if (count > 0) this.#writable.set(page, count);
      else this.#writable.delete(page);
    }
    return pages;
  }

  /** A page that user space may write to becomes a table: by which entries? */
  #mappers(page: number, now: Instant): void {
    const { lower, tables } = this.#scene;
    for (const each of tables.all()) {
      if (each.upper) continue;
      visitLeaves(each, (table, index, low, high) => {
        const start = this.#scene.memoryOf(table.level, low, high);
        const reached = page >= start && page < start + tables.size(table);
        if (reached && lower.of(low, high) & right.userWrite)
          this.#found({ table, index, low, high }, now);
      });
    }
  }

  #found(entry: LinkedEntry, now: Instant): void {
    this.#scene.found(tablePage, entry, now);
  }
}

const entryOf = (table: RecordedTable, index: number, low: number, high: number): LinkedEntry => ({
  table,
  index,
  low,
  high,
});
