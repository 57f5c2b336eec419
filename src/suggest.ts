// SPDX-License-Identifier: GPL-2.0-only
import leven from 'leven';

/** If two names differ by more than this, one is not a typo of the other. */
const farthest = 3;

/**
 * 'Did you mean …?' with a space before it, if one of the names is close to a mistyped one;
 * otherwise nothing.
 */
export function suggest(given: string, names: Iterable<string>): string {
  const near = [...names].map((name) => ({
    name,
    far: leven(given, name, { maxDistance: farthest + 1 }),
  }));
  const [best] = near
    .filter(({ far, name }) => far <= Math.min(farthest, name.length / 2))
    .sort((a, b) => a.far - b.far);
  return best ? ` Did you mean ${best.name}?` : '';
}
