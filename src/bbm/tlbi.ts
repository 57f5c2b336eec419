// SPDX-License-Identifier: GPL-2.0-only
import { split } from '../vmsa/descriptor-layout.ts';
import type { Granule } from '../vmsa/types.ts';

/** What one TLBI instruction invalidates of the EL1&0 stage 1 translations. */
export interface Invalidation {
  /** On all CPUs of the inner or outer shareable domain; otherwise on its own CPU alone. */
  broadcast: boolean;
  /** Only what a last level of lookup gave; otherwise walk caches, too. */
  lastLevelOnly: boolean;
  /**
   * First virtual address and end, in units of 4 KiB, below 0 for the upper half; absent where it is
   * not by address.
   */
  range?: { start: number; end: number };
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

/**
 * Decodes a TLBI of EL1 (SYS, op1 0, CRn 8 or 9: DDI 0487 C5.5 and D8.17); undefined for those of
 * EL2 and EL3.
 * @param operand Xt
 * @param wide with TCR_EL1.DS, a range counts in 64 KiB (DDI 0487 C5.5, TLBI RVAE1)
 */
export function decodeTlbi(insn: number, operand: bigint, wide = false): Invalidation | undefined {
  if (((insn >>> 16) & 7) !== 0) return undefined;
  const { low, high } = split(operand);
  const crm = (insn >>> 8) & 15;
  const op2 = (insn >>> 5) & 7;
  // CRm: 1, 3, 7 outer shareable, inner shareable, local; 5, 2, 6 the same of ranges.
  const isRange = crm === 5 || crm === 2 || crm === 6;
  const broadcast = crm !== 7 && crm !== 6;
  if (!isRange && op2 === 0) return { broadcast, lastLevelOnly: false, global: true };
  const asid = high >>> 16;
  if (!isRange && op2 === 2) return { broadcast, lastLevelOnly: false, asid, global: false };
  const what: Invalidation = { broadcast, lastLevelOnly: op2 === 5 || op2 === 7, global: true };
  if (op2 !== 3 && op2 !== 7) what.asid = asid;
  if (isRange) setRange(what, low, high, wide);
  else setPage(what, low, high);
  return what;
}

/** By the encoding of TG and of TTL[3:2]. */
const granules = [undefined, 4096, 16384, 65536] as const;

/** VA[55:12] in bits 43:0, TTL in 47:44. */
function setPage(what: Invalidation, low: number, high: number): void {
  const start = ((high << 20) >> 20) * 2 ** 32 + low;
  const ttl = (high >>> 12) & 15;
  const granule = granules[ttl >> 2];
  what.range = { start, end: start + 1 };
  if (granule === undefined) return;
  what.level = ttl & 3;
  what.granule = granule;
}

/** BaseADDR in bits 36:0, TTL in 38:37, NUM in 43:39, SCALE in 45:44, TG in 47:46. */
function setRange(what: Invalidation, low: number, high: number, wide: boolean): void {
  const granule = granules[(high >>> 14) & 3] ?? 4096;
  const base = ((high << 27) >> 27) * 2 ** 32 + low;
  const start = base * (wide ? 16 : granule / 4096);
  const number = (high >>> 7) & 31;
  const scale = (high >>> 12) & 3;
  const ttl = (high >>> 5) & 3;
  what.range = { start, end: start + (number + 1) * 2 ** (5 * scale + 1) * (granule / 4096) };
  what.granule = granule;
  if (ttl !== 0) what.level = ttl;
}
