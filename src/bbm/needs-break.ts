// SPDX-License-Identifier: GPL-2.0-only
import { type Descriptor, isTable } from '../vmsa/descriptor.ts';

/** FEAT_BBM as a CPU claims it (ID_AA64MMFR2_EL1.BBM), 3 where no change of size can abort. */
export type BbmLevel = 0 | 1 | 2 | 3;

/** Why an entry must be broken before it is changed (DDI 0487 D8.16.1). */
export type Reason =
  | 'a block or page becomes a table, or a table a block'
  | 'another table'
  | 'the contiguous bit changes'
  | 'another output address'
  | 'another memory type'
  | 'another shareability'
  | 'it becomes global';

const notGlobal = 1 << 11;
const contiguous = 1 << (52 - 32);
const addressLow = 0xfffff000;
const addressHigh = 0xffff;

/**
 * Why the change from one valid descriptor to another needs break-before-make at a level of
 * FEAT_BBM; undefined where it needs none. Access rights, the access flag, the dirty state and
 * software's own bits may always change.
 * @param mair MAIR_EL1: equal encodings are one memory type
 * @param lpa2 with TCR_EL1.DS, shareability is not in the descriptor
 */
export function needsBreak(
  old: Descriptor,
  now: Descriptor,
  level: number,
  { bbm, mair, lpa2 }: { bbm: BbmLevel; mair: bigint; lpa2: boolean },
): Reason | undefined {
  const sameAddress =
    ((old.low ^ now.low) & addressLow) === 0 && ((old.high ^ now.high) & addressHigh) === 0;
  if (isTable(old, level) && isTable(now, level)) return sameAddress ? undefined : 'another table';
  if (isTable(old, level) !== isTable(now, level))
    return bbm >= 2 ? undefined : 'a block or page becomes a table, or a table a block';
  if (!sameAddress) return 'another output address';
  if (memoryTypeOf(old, mair) !== memoryTypeOf(now, mair)) return 'another memory type';
  if (!lpa2 && ((old.low ^ now.low) >>> 8) & 3) return 'another shareability';
  if (old.low & notGlobal && !(now.low & notGlobal)) return 'it becomes global';
  if ((old.high ^ now.high) & contiguous && bbm < 2) return 'the contiguous bit changes';
  return undefined;
}

function memoryTypeOf({ low }: Descriptor, mair: bigint): bigint {
  return (mair >> BigInt(8 * ((low >>> 2) & 7))) & 0xffn;
}
