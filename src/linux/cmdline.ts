// SPDX-License-Identifier: GPL-2.0-only
import {
  kstrtobool,
  type ParsedNumber,
  saturates,
  simple_strtoull,
  ULLONG_MAX,
} from './kstrtox.ts';
import type { Release } from './release.ts';

/** A word of the command line, split as the kernel splits it. */
interface KernelParameter {
  param: string;
  /** Undefined for a word without '='. */
  val: string | undefined;
}

/**
 * next_arg() of lib/cmdline.c, the same in 6.12 and 7.3: the first word of a line, and the rest. A
 * quoted value may hold spaces; a quote that is never closed takes the rest of the line.
 */
export function next_arg(line: string): KernelParameter & { rest: string } {
  const quoted = line.startsWith('"');
  const args = quoted ? line.slice(1) : line;
  let inQuote = quoted;
  // As in the kernel, an '=' at the very start does not count.
  let equals = 0;
  let length = 0;
  for (; length < args.length; length++) {
    if (args[length] === ' ' && !inQuote) break;
    if (equals === 0 && args[length] === '=') equals = length;
    if (args[length] === '"') inQuote = !inQuote;
  }
  const quotedValue = equals > 0 && args[equals + 1] === '"';
  const closed = (quoted || quotedValue) && length > 0 && args[length - 1] === '"';
  const end = closed ? length - 1 : length;
  return {
    param: args.slice(0, equals || end),
    val: equals ? args.slice(equals + (quotedValue ? 2 : 1), end) : undefined,
    rest: args.slice(length + 1).trimStart(),
  };
}

/**
 * parse_args() of kernel/params.c: the words of a command line up to '--'; the words after it are
 * for init.
 */
export function parse_args(line: string): KernelParameter[] {
  const found: KernelParameter[] = [];
  for (let args = line.trimStart(); args !== ''; ) {
    const { rest, ...word } = next_arg(args);
    if (word.val === undefined && word.param === '--') break;
    found.push(word);
    args = rest;
  }
  return found;
}

/** parameq() of kernel/params.c: '-' and '_' are equal in names. */
export function parameq(a: string, b: string): boolean {
  return a.length === b.length && a.replaceAll('-', '_') === b.replaceAll('-', '_');
}

/** The model asks for twenty names, one after the other, in a list that stays as it is. */
const parsed = new WeakMap<readonly string[], KernelParameter[]>();

function wordsOf(parameters: readonly string[]): KernelParameter[] {
  const words = parsed.get(parameters) ?? parse_args(parameters.join(' '));
  parsed.set(parameters, words);
  return words;
}

/**
 * Values of the words NAME=VALUE among parameters, in order. The kernel calls an early_param()
 * function once for each, so the caller decides which one counts. The functions that the model
 * knows ignore a word without '='.
 */
export function valuesOf(parameters: readonly string[], name: string): string[] {
  return wordsOf(parameters)
    .filter(({ param }) => parameq(param, name))
    .flatMap(({ val }) => (val === undefined ? [] : [val]));
}

/** The last value that kstrtobool() accepts; undefined if there is none. */
export function lastBoolean(
  parameters: readonly string[],
  name: string,
  release: Release,
): boolean | undefined {
  return valuesOf(parameters, name)
    .map((value) => kstrtobool(value, release))
    .filter((value) => value !== undefined)
    .at(-1);
}

/**
 * memparse() of lib/cmdline.c: a number with a suffix K, M, G, T, P or E. Up to 7.1 a suffix
 * without a number counts as taken, and bits beyond 64 are lost; see saturates().
 */
export function memparse(text: string, release: Release): ParsedNumber {
  const number = simple_strtoull(text, release);
  const power = 'kmgtpe'.indexOf(text.charAt(number.length).toLowerCase() || ' ') + 1;
  if (power === 0) return number;
  if (!saturates(release)) {
    return {
      ...number,
      value: BigInt.asUintN(64, number.value << BigInt(10 * power)),
      length: number.length + 1,
    };
  }
  if (number.length === 0) return number;
  const value = number.value << BigInt(10 * power);
  return { ...number, value: value > ULLONG_MAX ? ULLONG_MAX : value, length: number.length + 1 };
}

/**
 * get_option() of lib/cmdline.c: a number, maybe with a '-' before it and any text after it, as an
 * int. Of a larger number only the low 32 bits count. Undefined where there is no number.
 */
export function get_option(text: string, release: Release): number | undefined {
  const negative = text.startsWith('-');
  const { value, length } = simple_strtoull(negative ? text.slice(1) : text, release);
  return length === 0 ? undefined : Number(BigInt.asIntN(32, negative ? -value : value));
}
