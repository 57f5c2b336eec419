// SPDX-License-Identifier: GPL-2.0-only
import type { Granule } from '../vmsa/types.ts';

/** What one TLBI instruction invalidates of the EL1&0 stage 1 translations. */
export interface Invalidation {
  /** On all CPUs of the inner or outer shareable domain; otherwise on its own CPU alone. */
  broadcast: boolean;
  /** Only what a last level of lookup gave; otherwise walk caches, too. */
  lastLevelOnly: boolean;
  /** First virtual address and end; absent where it is not by address. */
  range?: { start: bigint; end: bigint };
  /** Only entries of this level of lookup, where the operand hints at one. */
  level?: number;
  /**
   * The granule that the operand claims, in bytes. Where the tables have another it need not
   * invalidate anything (DDI 0487 C5.5, TTL and TG).
   */
  granule?: Granule;
  /** Only of this ASID, and global ones where `global` is set; absent for all. */
  asid?: number;
  /** Also entries that are global. */
  global: boolean;
}

/** Sign-extends what a TLBI operand holds of a virtual address: bits 55 and below. */
function virtual(address: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asIntN(56, address));
}

/**
 * Decodes a TLBI of EL1 (SYS, op1 0, CRn 8 or 9: DDI 0487 C5.5 and D8.17); undefined for those of
 * EL2 and EL3.
 * @param operand Xt
 * @param wide with TCR_EL1.DS, a range counts in 64 KiB (DDI 0487 C5.5, TLBI RVAE1)
 */
export function decodeTlbi(insn: number, operand: bigint, wide = false): Invalidation | undefined {
  if (((insn >>> 16) & 7) !== 0) return undefined;
  const crm = (insn >>> 8) & 15;
  const op2 = (insn >>> 5) & 7;
  // CRm: 1, 3, 7 outer shareable, inner shareable, local; 5, 2, 6 the same of ranges.
  const isRange = crm === 5 || crm === 2 || crm === 6;
  const broadcast = crm !== 7 && crm !== 6;
  if (!isRange && op2 === 0) return { broadcast, lastLevelOnly: false, global: true };
  const asid = Number((operand >> 48n) & 0xffffn);
  if (!isRange && op2 === 2) return { broadcast, lastLevelOnly: false, asid, global: false };
  const all = op2 === 3 || op2 === 7;
  const lastLevelOnly = op2 === 5 || op2 === 7;
  const common = { broadcast, lastLevelOnly, global: true, ...(!all && { asid }) };
  return { ...common, ...(isRange ? rangeOf(operand, wide) : pageOf(operand)) };
}

/** By the encoding of TG and of TTL[3:2]. */
const granules = [undefined, 4096, 16384, 65536] as const;

function pageOf(operand: bigint): Partial<Invalidation> {
  const start = virtual((operand & ((1n << 44n) - 1n)) << 12n);
  const ttl = Number((operand >> 44n) & 15n);
  const granule = granules[ttl >> 2];
  return {
    range: { start, end: start + 0x1000n },
    ...(granule !== undefined && { level: ttl & 3, granule }),
  };
}

function rangeOf(operand: bigint, wide: boolean): Partial<Invalidation> {
  const granule = granules[Number((operand >> 46n) & 3n)] ?? 4096;
  const unit = wide ? 16 : Math.log2(granule);
  const base = operand & ((1n << 37n) - 1n);
  const start = BigInt.asUintN(64, BigInt.asIntN(37 + unit, base << BigInt(unit)));
  const number = (operand >> 39n) & 31n;
  const scale = (operand >> 44n) & 3n;
  const pages = (number + 1n) << (5n * scale + 1n);
  const ttl = Number((operand >> 37n) & 3n);
  return {
    range: { start, end: start + pages * BigInt(granule) },
    granule,
    ...(ttl !== 0 && { level: ttl }),
  };
}
