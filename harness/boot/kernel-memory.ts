// SPDX-License-Identifier: GPL-2.0-only
import type { ReadPhysical } from '../../src/evidence/record-stream.ts';
import { partitionPoint } from '../../src/partition-point.ts';
import type { LeafRun } from '../../src/vmsa/types.ts';

/**
 * Reads memory by kernel virtual address through the leaves of a walk, which must be in ascending
 * order.
 */
export class KernelMemory {
  readonly #leaves: LeafRun[];
  readonly #read: ReadPhysical;

  constructor(leaves: LeafRun[], read: ReadPhysical) {
    this.#leaves = leaves;
    this.#read = read;
  }

  /**
   * Undefined when any byte is unmapped or outside RAM. Entries that are not valid are read too:
   * their contents are still there.
   */
  read(va: bigint, bytes: number): Buffer | undefined {
    const pieces: Uint8Array[] = [];
    let done = 0;
    while (done < bytes) {
      const leaf = this.#covering(va + BigInt(done));
      if (leaf === undefined) {
        return undefined;
      }
      const offset = Number(va + BigInt(done) - leaf.va);
      const count = Math.min(bytes - done, leaf.size - offset);
      const piece = this.#read(leaf.pa + offset, count);
      if (piece === undefined) {
        return undefined;
      }
      pieces.push(Buffer.from(piece));
      done += count;
    }
    return Buffer.concat(pieces);
  }

  #covering(va: bigint): LeafRun | undefined {
    const leaf = this.#leaves[partitionPoint(this.#leaves, (each) => each.va <= va) - 1];
    return leaf !== undefined && va < leaf.va + BigInt(leaf.size) ? leaf : undefined;
  }
}
