// SPDX-License-Identifier: GPL-2.0-only
import { addressIn } from '../../evidence/recorded-places.ts';
import { permissions } from '../../vmsa/permissions.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import { rightsOf } from '../access.ts';

/** What a leaf allows, ORed. */
export const right = { write: 1, execute: 2, userWrite: 4 } as const;

/** Bits of a descriptor that permissions depend on: V, AP[1], AP[2], DBM, PXN, UXN. */
const positions: readonly bigint[] = [0n, 6n, 7n, 51n, 53n, 54n];
const combinations = 2 ** positions.length;

/**
 * Effective permissions of leaves (DDI 0487 D8.4) from their two words, by a table: it is asked for
 * every store of a boot.
 */
export class LeafRights {
  readonly #regime: Stage1Regime;
  /** By hierarchical attributes. */
  readonly #tables: Uint8Array[] = [];

  constructor(regime: Stage1Regime) {
    this.#regime = regime;
    this.#tables[0] = rightsTable(regime, 0);
  }

  /**
   * The rights of a leaf.
   * @param hierarchical bits 63:59 of the table descriptors above, ORed; they only take away
   */
  of(low: number, high: number, hierarchical = 0): number {
    this.#tables[hierarchical] ??= rightsTable(this.#regime, hierarchical);
    const index = (low & 1) | ((low >>> 5) & 6) | ((high >>> 16) & 8) | ((high >>> 17) & (16 | 32));
    return (this.#tables[hierarchical] as Uint8Array)[index] as number;
  }
}

function rightsTable(regime: Stage1Regime, tableAttributes: number): Uint8Array {
  return Uint8Array.from({ length: combinations }, (_, index) => {
    const attributes = positions.reduce(
      (sum, position, bit) => sum | (BigInt((index >>> bit) & 1) << position),
      0n,
    );
    const { el1, el0 } = permissions(regime, { attributes, tableAttributes });
    const [kernel, user] = [rightsOf(el1), rightsOf(el0)];
    return (
      (kernel.write || user.write ? right.write : 0) |
      (kernel.execute || user.execute ? right.execute : 0) |
      (user.write ? right.userWrite : 0)
    );
  });
}

/**
 * Output address of a leaf, in a machine whose memory ends below 2^48: the bits that LPA and LPA2
 * put elsewhere are 0.
 */
export function outputOf(level: number, low: number, high: number): number {
  // Bit 16 of a block is nT (FEAT_BBM).
  return addressIn(level === 3 ? low : low & 0xfffe_0000, high);
}
