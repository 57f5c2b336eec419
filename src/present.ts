// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from './errors.ts';

/**
 * A value that always exists by construction, although its type does not say so.
 * @param what describes it, in case it is missing after all
 * @throws {PtdiffError} fault `harness`, when it is missing: the assumption about the construction
 * was wrong
 */
export function present<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new PtdiffError(
    'harness',
    `ptdiff has no ${what} where there always is one; PTDIFF_DEBUG=1 shows where, please report it.`,
  );
}

/**
 * The first value of a list that is never empty, such as a group of Map.groupBy() or the lines of a
 * text.
 */
export function first<T>(list: readonly T[]): T {
  return present(list[0], 'first entry of a list');
}

/** The last value of a list that is never empty. */
export function last<T>(list: readonly T[]): T {
  return present(list.at(-1), 'last entry of a list');
}
