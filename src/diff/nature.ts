// SPDX-License-Identifier: GPL-2.0-only
import { permissions } from '../vmsa/permissions.ts';
import type { Stage1Regime } from '../vmsa/regime.ts';
import type { LeafRun } from '../vmsa/types.ts';
import type { LeafDifference } from './compare.ts';
import { leafReach } from './describe-leaf.ts';

/**
 * Attribute bits by position that have names of their own when they differ: the name when set and
 * when clear.
 */
const plainBits: [position: bigint, set: string, clear: string][] = [
  [10n, 'access-flag', 'no-access-flag'],
  [11n, 'non-global', 'global'],
  [50n, 'guarded', 'not-guarded'],
  [55n, 'software-dirty', 'not-software-dirty'],
];

/**
 * Bits that determine the permissions; they are named individually only when the effective
 * permissions are equal.
 */
const permissionBits: [position: bigint, name: string][] = [
  [6n, 'ap1-bit'],
  [7n, 'ap2-bit'],
  [51n, 'dbm-bit'],
  [53n, 'pxn-bit'],
  [54n, 'uxn-bit'],
];

const contiguousBit = 1n << 52n;

/**
 * How the found leaf differs from the predicted one, as fixed words joined by '+': the part of a
 * finding's id that must not depend on addresses, on sizes, or on which of several block sizes the
 * memory layout made possible.
 */
export function natureOf({ expected, actual }: LeafDifference, regime: Stage1Regime): string {
  if (!actual) return 'missing';
  if (!expected) return actual.valid ? 'unpredicted' : 'unpredicted-invalid';
  const words: string[] = [];
  if (expected.pa !== actual.pa) words.push('wrong-address');
  const reach = leafReach(actual, regime.granule) - leafReach(expected, regime.granule);
  if (reach !== 0) words.push(reach < 0 ? 'smaller-leaves' : 'larger-leaves');
  if (expected.tableAttributes !== actual.tableAttributes) words.push('table-attributes');
  words.push(...attributeWords(expected, actual, regime));
  // Level and contiguous bit can be exchanged at equal reach; nothing else is without a word.
  return words.length === 0 ? 'level' : words.join('+');
}

function attributeWords(expected: LeafRun, actual: LeafRun, regime: Stage1Regime): string[] {
  const words: string[] = [];
  let differs = expected.attributes ^ actual.attributes;
  if (expected.valid !== actual.valid) {
    words.push(actual.valid ? 'valid' : 'invalid');
    // PTE_PRESENT_INVALID takes nG's place: one difference, not two.
    differs &= ~((1n << 0n) | (1n << 11n));
  }
  // Bit 1 follows from the level, the contiguous bit from the reach.
  differs &= ~(1n << 1n) & ~contiguousBit & ~1n;
  const rights = rightsWords(expected, actual, regime);
  words.push(...rights);
  for (const [position, name] of permissionBits) {
    if (rights.length === 0 && bitOf(differs, position)) words.push(name);
    differs &= ~(1n << position);
  }
  if ((differs & (7n << 2n)) !== 0n) words.push('memory-type');
  if ((differs & (3n << 8n)) !== 0n) words.push('shareability');
  differs &= ~((7n << 2n) | (3n << 8n));
  for (const [position, set, clear] of plainBits) {
    if (bitOf(differs, position)) words.push(bitOf(actual.attributes, position) ? set : clear);
    differs &= ~(1n << position);
  }
  if (differs !== 0n) words.push('other-bits');
  return words;
}

/** Differences in effective rights, as if both leaves were valid and below the same tables. */
function rightsWords(expected: LeafRun, actual: LeafRun, regime: Stage1Regime): string[] {
  const asValid = ({ attributes }: LeafRun) =>
    permissions(regime, { attributes: attributes | 1n, tableAttributes: 0 });
  const want = asValid(expected);
  const have = asValid(actual);
  const writes = (access: typeof want.el1) => access.write || access.writeAfterDirty;
  const words: string[] = [];
  if (writes(want.el1) !== writes(have.el1))
    words.push(writes(have.el1) ? 'writable' : 'read-only');
  if (want.el1.execute !== have.el1.execute)
    words.push(have.el1.execute ? 'executable' : 'not-executable');
  if (want.el1.read !== have.el1.read) words.push(have.el1.read ? 'readable' : 'not-readable');
  const user = (access: typeof want.el0) => `${access.read}${writes(access)}${access.execute}`;
  if (user(want.el0) !== user(have.el0)) words.push('user-rights');
  return words;
}

function bitOf(value: bigint, position: bigint): boolean {
  return ((value >> position) & 1n) === 1n;
}
