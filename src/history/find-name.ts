// SPDX-License-Identifier: GPL-2.0-only
/** What a shortened name stands for: the names that it can mean; one is the answer. */
type Match =
  | { kind: 'one'; name: string }
  | { kind: 'none' }
  | { kind: 'several'; names: string[] };

/**
 * Finds a name by itself, by its start, or by any part of it; an exact name always wins, and a
 * start wins over a part.
 */
export function findName(shortened: string, names: Iterable<string>): Match {
  const all = [...new Set(names)];
  if (all.includes(shortened)) return { kind: 'one', name: shortened };
  for (const fits of [
    (name: string) => name.startsWith(shortened),
    (name: string) => name.includes(shortened),
  ]) {
    const found = all.filter(fits);
    const [only, ...others] = found;
    if (only !== undefined)
      return others.length === 0 ? { kind: 'one', name: only } : { kind: 'several', names: found };
  }
  return { kind: 'none' };
}
