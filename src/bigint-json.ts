// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';

/**
 * How every file of ptdiff stores a bigint: JSON has no such numbers, so it is a string '0x…'.
 * Converting all such strings back is safe only for data in which no other text can look like that:
 * never for text from a guest.
 */
const pattern = /^-?0x[0-9a-f]+$/;

/** 0x-prefixed lower-case hexadecimal of an integer of any size. */
export function hexOf(value: bigint): string {
  return value < 0n ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
}

/** The integer that hexOf() wrote. */
function integerOf(text: string): bigint {
  return text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);
}

/** A bigint as stored in JSON, for the schema of a file. */
export const bigintText = z.string().regex(pattern).transform(integerOf);

/** The replacer that lets JSON.stringify() accept bigints. */
export function bigintReplacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? hexOf(value) : value;
}

/** The reviver that makes JSON.parse() return them. */
export function bigintReviver(_key: string, value: unknown): unknown {
  return typeof value === 'string' && pattern.test(value) ? integerOf(value) : value;
}

/** The same for a value that was parsed without it. */
export function reviveBigints(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), bigintReviver);
}
