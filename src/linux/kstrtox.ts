// SPDX-License-Identifier: GPL-2.0-only
import { byRelease } from './changes/index.ts';
import type { Release } from './release.ts';

/*
 * The kernel's parsers of numbers and booleans, lib/kstrtox.c and lib/vsprintf.c, compared in
 * 6.12.117, 7.2.13 and 7.3.4: every parameter goes through one of them. Numbers are unsigned and
 * have 64 bits. A C string ends at its NUL; here that is the end of the text.
 */

export const ULLONG_MAX = 2n ** 64n - 1n;

/** A number from the start of a text. */
export interface ParsedNumber {
  value: bigint;
  /** Number of characters consumed; 0 where the text does not begin with a number. */
  length: number;
  /** The number does not fit into 64 bits (KSTRTOX_OVERFLOW). */
  overflow: boolean;
}

/**
 * Whether a number that is too large becomes the largest one (_parse_integer_limit() and memparse()
 * of 7.2), or its low 64 bits (6.12 to 7.1, also in 7.1.13).
 */
export function saturates(release: Release): boolean {
  return byRelease(release, 'numbers-saturate');
}

/**
 * _parse_integer_fixup_radix() for base 0: the base that a text's prefix selects, and the length of
 * the prefix.
 */
function fixupRadix(text: string): { base: number; prefix: number } {
  if (/^0x[0-9a-f]/i.test(text)) return { base: 16, prefix: 2 };
  return { base: text.startsWith('0') ? 8 : 10, prefix: 0 };
}

/** _parse_integer_limit(): the leading digits of a text in a base. */
function parseInteger(text: string, base: number, release: Release): ParsedNumber {
  let value = 0n;
  let overflow = false;
  let length = 0;
  for (; length < text.length; length++) {
    const digit = Number.parseInt(text.charAt(length), base);
    if (Number.isNaN(digit)) break;
    value = value * BigInt(base) + BigInt(digit);
    if (value <= ULLONG_MAX) continue;
    overflow = true;
    value = saturates(release) ? ULLONG_MAX : BigInt.asUintN(64, value);
  }
  return { value, length, overflow };
}

/**
 * simple_strtoull() of lib/vsprintf.c in base 0: it ignores text after the number, and overflow.
 */
export function simple_strtoull(text: string, release: Release): ParsedNumber {
  const { base, prefix } = fixupRadix(text);
  const digits = parseInteger(text.slice(prefix), base, release);
  return { ...digits, length: prefix + digits.length };
}

/**
 * kstrtoull() in base 0, which is kstrtoul() on a 64-bit kernel: the whole text must be one number;
 * undefined where it is refused.
 */
export function kstrtoull(text: string, release: Release): bigint | undefined {
  const unsigned = text.startsWith('+') ? text.slice(1) : text;
  const { value, length, overflow } = simple_strtoull(unsigned, release);
  return overflow || length === 0 || length < unsigned.length ? undefined : value;
}

/**
 * kstrtobool(): decided by the first letter, or by the second after an 'o'; undefined where the
 * value is refused. 'e' and 'd' are accepted since ae5b3500856f ("kstrtox: add support for enabled
 * and disabled in kstrtobool()", 6.14).
 */
export function kstrtobool(text: string, release: Release): boolean | undefined {
  if (/^([yt1]|on)/i.test(text)) return true;
  if (/^([nf0]|of)/i.test(text)) return false;
  if (!byRelease(release, 'enabled-is-true')) return undefined;
  if (/^e/i.test(text)) return true;
  return /^d/i.test(text) ? false : undefined;
}
