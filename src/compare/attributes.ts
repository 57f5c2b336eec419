// SPDX-License-Identifier: GPL-2.0-only
import { natureOf } from '../diff/nature.ts';
import { countText } from '../diff/text.ts';
import { first } from '../present.ts';
import { attributeIndex, memoryType } from '../vmsa/memory-type.ts';
import { permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun } from '../vmsa/types.ts';
import type { AreaProfile } from './profile.ts';
import type { Difference, Sides } from './types.ts';

type AttributeSet = { key: string; sample: LeafRun; bytes: number };

/** The sets of attributes of an area, those with the most bytes first. */
function byBytes({ attributes }: AreaProfile): AttributeSet[] {
  return [...attributes]
    .map(([key, entry]) => ({ key, ...entry }))
    .sort((left, right) => right.bytes - left.bytes);
}

/** Bits of a descriptor in words, e.g. 'bits 7 and 55'. */
function bitsText(bits: bigint): string {
  const set = Array.from({ length: 64 }, (_, position) => position).filter(
    (position) => ((bits >> BigInt(position)) & 1n) === 1n,
  );
  const last = set.pop();
  return set.length === 0 ? `bit ${last}` : `bits ${set.join(', ')} and ${last}`;
}

const shareabilities = [
  'non-shareable',
  'reserved shareability',
  'outer shareable',
  'inner shareable',
];

/**
 * The value for a word of natureOf() that only says that there is a difference; undefined for a
 * word that names what is there.
 */
function wordValue(
  word: string,
  { attributes, tableAttributes }: LeafRun,
  regime: Stage1Regime,
): string | undefined {
  const bit = (position: bigint) => Number((attributes >> position) & 1n);
  switch (word) {
    case 'memory-type':
      return `AttrIndx ${attributeIndex(regime, attributes)} = ${memoryType(regime, attributes).name}`;
    case 'shareability':
      return shareabilities[Number((attributes >> 8n) & 3n)];
    case 'table-attributes':
      return `tables with attributes 0x${tableAttributes.toString(16)}`;
    case 'user-rights': {
      const { el0 } = permissions(regime, { attributes: attributes | 1n, tableAttributes: 0 });
      const writes = el0.write || el0.writeAfterDirty;
      return `EL0 ${el0.read ? 'r' : '-'}${writes ? 'w' : '-'}${el0.execute ? 'x' : '-'}`;
    }
    case 'ap1-bit':
      return `AP[1] ${bit(6n)}`;
    case 'ap2-bit':
      return `AP[2] ${bit(7n)}`;
    case 'dbm-bit':
      return `DBM ${bit(51n)}`;
    case 'pxn-bit':
      return `PXN ${bit(53n)}`;
    case 'uxn-bit':
      return `UXN ${bit(54n)}`;
    case 'other-bits':
      return `other bits of 0x${attributes.toString(16)}`;
    default:
      return undefined;
  }
}

/**
 * What one leaf is and the other is not, as fixed words; both are leaves of the same size at the
 * same address.
 */
function wordsOf(leaf: LeafRun, other: LeafRun, regime: Stage1Regime): string[] {
  const { level, contiguous, pa, va } = other;
  const expected = { ...other, why: '', alternatives: [] };
  return natureOf({ expected, actual: { ...leaf, level, contiguous, pa, va } }, regime).split('+');
}

/** Both sides of a difference in words, each with what the other side does not have. */
function sideTexts({ a, b }: Sides<LeafRun>, regimes: Sides<Stage1Regime>): Sides<string> {
  const text = (leaf: LeafRun, other: LeafRun, regime: Stage1Regime): string =>
    wordsOf(leaf, other, regimes.b)
      .map((word) => wordValue(word, leaf, regime) ?? word.replaceAll('-', ' '))
      .join(', ');
  return { a: text(a, b, regimes.a), b: text(b, a, regimes.b) };
}

/** Bits that follow from the size of a leaf: the contiguous bit, and the type bit. */
const sizeBits = (1n << 52n) | (1n << 1n);

/**
 * How the attributes of one part of memory differ, apart from the sizes of leaves: the two sets
 * with most of the bytes that differ, in words and by the bits of the descriptor.
 */
export function attributeDifference(
  name: string,
  { a, b }: Sides<AreaProfile>,
  regimes: Sides<Stage1Regime>,
): Omit<Difference, 'checkpoints'> | undefined {
  const [all, others] = [byBytes(a), byBytes(b)];
  const onlyA = all.filter(({ key }) => !b.attributes.has(key));
  const onlyB = others.filter(({ key }) => !a.attributes.has(key));
  if (onlyA.length + onlyB.length === 0) return undefined;
  // If most of the area differs, that is the difference; otherwise it is in the sets that only one
  // side has.
  const [mostA, mostB] = [first(all), first(others)];
  const isWhole = mostA.key !== mostB.key;
  const left = isWhole ? mostA : (onlyA[0] ?? mostA);
  const right = isWhole ? mostB : (onlyB[0] ?? mostB);
  const nature = wordsOf(right.sample, left.sample, regimes.b)
    .map((word) => word.replaceAll('-', ' '))
    .join(', ');
  const texts = sideTexts({ a: left.sample, b: right.sample }, regimes);
  const bits = (left.sample.attributes ^ right.sample.attributes) & ~sizeBits;
  const more = [...onlyA, ...onlyB].filter((set) => set !== left && set !== right).length;
  const notes = [
    ...(bits === 0n ? [] : [`${bitsText(bits)} of the descriptor`]),
    ...(more === 0 ? [] : [`${countText(more, 'other set')} of attributes on one side only`]),
  ];
  return {
    key: `layout/${name}/attributes/${isWhole ? '' : 'in a part of it, '}${nature}`,
    aspect: 'layout',
    subject: isWhole ? name : `a part of ${name}`,
    a: texts.a,
    b: notes.length === 0 ? texts.b : `${texts.b} (${notes.join('; ')})`,
  };
}
