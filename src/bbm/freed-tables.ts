// SPDX-License-Identifier: GPL-2.0-only
import { differsFromRam } from '../evidence/recorded-ram.ts';
import type { RecordedTable } from '../evidence/recording-reader.ts';
import type { Broken, Table } from './tables.ts';

/** Tables that their parent no longer leads to, until they are linked again. */
export class FreedTables {
  readonly #byAddress = new Map<number, { broken: Broken; before: RecordedTable | undefined }>();

  /** @param pa the table that a broken entry led to */
  left(pa: number, broken: Broken): void {
    this.#byAddress.set(pa, { broken, before: undefined });
  }

  /** Nothing leads to it: from now on its content may change unseen. */
  unlinked(recorded: RecordedTable): void {
    const freed = this.#byAddress.get(recorded.pa);
    if (freed !== undefined) freed.before = recorded;
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
    const { broken, before } = freed;
    const isBack =
      broken.space === space && broken.page === page && broken.level === recorded.level - 1;
    // Hardware sets access flags unseen.
    const isMoved = before && differsFromRam(before, recorded.words) === undefined;
    return isBack || isMoved ? undefined : broken;
  }
}
