// SPDX-License-Identifier: GPL-2.0-only
import fc from 'fast-check';

/** The code points of half surrogate pairs, which are no characters. */
const surrogates = { first: 0xd800, count: 0x800 };

/**
 * Any character of Unicode: for fc.string() the same as its unit 'binary', which makes a table of
 * all million of them before the first string.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat({ max: 0x10ffff - surrogates.count }).map(
  (index) => String.fromCodePoint(index < surrogates.first ? index : index + surrogates.count),
  (character) => indexOf(character),
);

/** @throws Error for what is not one character, which tells fast-check so */
function indexOf(character: unknown): number {
  const code = typeof character === 'string' ? character.codePointAt(0) : undefined;
  if (code === undefined || String.fromCodePoint(code) !== character)
    throw new Error('not a character');
  if (code < surrogates.first) return code;
  if (code < surrogates.first + surrogates.count) throw new Error('half a surrogate pair');
  return code - surrogates.count;
}
