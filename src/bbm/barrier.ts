// SPDX-License-Identifier: GPL-2.0-only

/** What a DSB orders (DDI 0487 C6.2, DSB). */
export interface Barrier {
  /** Stores; without, it is of loads only. */
  stores: boolean;
  /** Loads and stores: only such a one completes a TLBI. */
  full: boolean;
  /** For its own CPU only (NSH). */
  own: boolean;
}

/** Decodes a DSB; undefined for an ISB, which orders no update of a table. */
export function decodeBarrier(insn: number): Barrier | undefined {
  const op2 = (insn >>> 5) & 7;
  // CRm[3:2] is 1 for NSH; op2 is 1 with nXS, which is of loads and stores.
  const own = ((insn >>> 10) & 3) === 1;
  if (op2 === 1) return { stores: true, full: true, own };
  if (op2 !== 4) return undefined;
  // CRm[1:0]: 1 loads, 2 stores, 3 both; 0 is SSBB or PSSBB, which order no table.
  const type = (insn >>> 8) & 3;
  return { stores: type >= 2, full: type === 3, own };
}
