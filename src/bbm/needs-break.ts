// SPDX-License-Identifier: GPL-2.0-only
import { isTable } from '../vmsa/descriptor.ts';

/** FEAT_BBM as a CPU claims it (ID_AA64MMFR2_EL1.BBM), 3 where no change of size can abort. */
export type BbmLevel = 0 | 1 | 2 | 3;

/**
 * Why an entry must be broken before it is changed (DDI 0487 D8.16.1); the last one is of an entry
 * that stays invalid.
 */
export const reasons = [
  'a block or page becomes a table, or a table a block',
  'another table',
  'the contiguous bit changes',
  'another output address',
  'another memory type',
  'another shareability',
  'it becomes global',
  'a freed table becomes another one',
  'what it made invalid stays in the TLB',
] as const;
export type Reason = (typeof reasons)[number];

/** A change that needs break-before-make, at levels of FEAT_BBM up to this one. */
export interface Forbidden {
  reason: Reason;
  upTo: BbmLevel;
}

/** What of the translation registers decides what a descriptor means. */
export interface Meaning {
  /** MAIR_EL1, byte by byte: equal encodings are one memory type. */
  memoryTypes: ArrayLike<number>;
  /** With TCR_EL1.DS, output address bits take the place of shareability. */
  lpa2: boolean;
}

const always = (reason: Reason): Forbidden => ({ reason, upTo: 3 });
const ofSize = 'a block or page becomes a table, or a table a block';
const size: Forbidden = { reason: ofSize, upTo: 1 };
const sizeWithoutTranslation: Forbidden = { reason: ofSize, upTo: 0 };
const contiguousBit: Forbidden = { reason: 'the contiguous bit changes', upTo: 1 };
const anotherTable = always('another table');
const anotherAddress = always('another output address');
const anotherType = always('another memory type');
const anotherShareability = always('another shareability');
const becomesGlobal = always('it becomes global');
/** A freed table is not one of the changes that FEAT_BBM is about. */
export const tableReused = always('a freed table becomes another one');
/** Nor is one that a function has made invalid, and not invalidated: see owed.ts. */
export const staysInTlb = always('what it made invalid stays in the TLB');

const notGlobal = 1 << 11;
const contiguous = 1 << (52 - 32);
const shareability = 3 << 8;
/** nT of a block: no TLB keeps it (FEAT_BBM level 1, DDI 0487 D8.3.1). */
const noTranslation = 1 << 16;

/**
 * Whether the change from one valid descriptor to another needs break-before-make; undefined where
 * it needs none. Access rights, the access flag, the dirty state and software's own bits may always
 * change. An entry that becomes a table, or was one, may lead to other translations: see
 * `translationChanges()`.
 */
export function needsBreak(
  oldLow: number,
  oldHigh: number,
  low: number,
  high: number,
  level: number,
  how: Meaning,
): Forbidden | undefined {
  const differs = oldLow ^ low;
  const wasTable = isTable({ low: oldLow }, level);
  const becomesTable = isTable({ low }, level);
  if (wasTable !== becomesTable)
    return (wasTable ? low : oldLow) & noTranslation && level < 3 ? sizeWithoutTranslation : size;
  const ignored = level < 3 && !wasTable ? noTranslation : 0;
  const address =
    (differs & 0xfffff000 & ~ignored) | ((oldHigh ^ high) & (how.lpa2 ? 0x3ffff : 0xffff));
  const above = how.lpa2 ? differs & shareability : 0;
  if ((address | above) !== 0) return wasTable ? anotherTable : anotherAddress;
  return wasTable ? undefined : attributesChange(differs, oldLow, oldHigh, low, high, how);
}

function attributesChange(
  differs: number,
  oldLow: number,
  oldHigh: number,
  low: number,
  high: number,
  { memoryTypes, lpa2 }: Meaning,
): Forbidden | undefined {
  if (memoryTypes[(oldLow >>> 2) & 7] !== memoryTypes[(low >>> 2) & 7]) return anotherType;
  if (!lpa2 && differs & shareability) return anotherShareability;
  if (differs & notGlobal && oldLow & notGlobal) return becomesGlobal;
  return (oldHigh ^ high) & contiguous ? contiguousBit : undefined;
}
