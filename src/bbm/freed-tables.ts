// SPDX-License-Identifier: GPL-2.0-only
import type { RecordedTable } from '../evidence/recording-reader.ts';
import type { Broken, Table } from './tables.ts';

/** Tables that their parent no longer leads to, until they are linked again. */
export class FreedTables {
  readonly #byAddress = new Map<number, { broken: Broken; words: Uint32Array | undefined }>();

  /** @param pa the table that a broken entry led to */
  left(pa: number, broken: Broken): void {
    this.#byAddress.set(pa, { broken, words: undefined });
  }

  /** Nothing leads to it: from now on its content may change unseen. */
  unlinked({ pa, words }: RecordedTable): void {
    const freed = this.#byAddress.get(pa);
    if (freed !== undefined) freed.words = words;
  }

  /**
   * A table is linked.
   * @returns the entry by which a walk cache may still lead here, to what this page was before; none
   * where it is the same table: at its old place, or moved as it was (mremap() moves tables)
   */
  reused({ recorded, space, page }: Table): Broken | undefined {
    const freed = this.#byAddress.get(recorded.pa);
    this.#byAddress.delete(recorded.pa);
    if (freed?.broken.missing === undefined) return undefined;
    const { broken, words } = freed;
    const isBack =
      broken.space === space && broken.page === page && broken.level === recorded.level - 1;
    const isMoved = words !== undefined && sameWords(words, recorded.words);
    return isBack || isMoved ? undefined : broken;
  }
}

function sameWords(one: Uint32Array, other: Uint32Array): boolean {
  return one.length === other.length && one.every((word, at) => word === other[at]);
}
