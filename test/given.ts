// SPDX-License-Identifier: GPL-2.0-only
/**
 * A value that a test relies on: where it is missing, the test ends here and not where it is used.
 */
export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('A value that this test relies on is missing.');
  return value;
}

/** The first entries of a list that a test relies on, as many as it names. */
export function take<T>(list: readonly T[], count: 1): [T];
export function take<T>(list: readonly T[], count: 2): [T, T];
export function take<T>(list: readonly T[], count: 3): [T, T, T];
export function take<T>(list: readonly T[], count: 4): [T, T, T, T];
export function take<T>(list: readonly T[], count: 5): [T, T, T, T, T];
export function take<T>(list: readonly T[], count: number): T[] {
  if (list.length < count)
    throw new Error(
      `This test relies on a list of ${count} entries or more, but it has ${list.length}.`,
    );
  return list.slice(0, count);
}
