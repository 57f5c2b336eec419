// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';

/**
 * How every file of ptdiff holds a bigint: JSON has no such numbers, so it is a string '0x…'. What
 * turns all such strings back is for data in which no other text can look so: never for what a
 * guest said.
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

/** A bigint as JSON holds it, for the schema of a file. */
export const bigintText = z.string().regex(pattern).transform(integerOf);

/** The replacer with which JSON.stringify() takes bigints. */
export function bigintReplacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? hexOf(value) : value;
}

/** The reviver with which JSON.parse() gives them back. */
export function bigintReviver(_key: string, value: unknown): unknown {
  return typeof value === 'string' && pattern.test(value) ? integerOf(value) : value;
}

/** The same of a value that was parsed without it. */
export function reviveBigints(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), bigintReviver);
}
