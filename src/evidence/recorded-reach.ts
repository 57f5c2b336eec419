// SPDX-License-Identifier: GPL-2.0-only
import { geometryOf } from '../linux/geometry.ts';
import { encodedGranule } from '../vmsa/regime.ts';
import type { RecordedMoment, RecordingFollower } from './follow-recording.ts';
import { entrySize, RecordedPlaces } from './recorded-places.ts';
import { registerOf } from './recorded-registers.ts';
import type { RecordedTable } from './recording-reader.ts';

/** Follows which virtual addresses entries translate. It comes before those that ask it. */
export class RecordedReach implements RecordingFollower {
  readonly #places = new RecordedPlaces();
  // Until a CPU sets TCR_EL1 there is no table.
  #geometry = geometryOf(4096);

  /** The first virtual address that an entry translates, and the bytes that it does. */
  of(table: RecordedTable, index: number): { va: bigint; size: bigint } {
    const geometry = this.#geometry;
    return { va: this.#places.addressOf(table, index, geometry), size: entrySize(table, geometry) };
  }

  linked(table: RecordedTable): void {
    this.#places.linked(table);
  }

  store(table: RecordedTable, index: number, low: number, high: number): void {
    this.#places.stored(table, index, low, high);
  }

  register(value: bigint, { insn }: RecordedMoment): void {
    if (registerOf(insn) === 'TCR_EL1')
      this.#geometry = geometryOf(encodedGranule(value, 'ttbr1') ?? 4096);
  }
}
