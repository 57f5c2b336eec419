// SPDX-License-Identifier: GPL-2.0-only
/** The names that a shortened name can mean; a single one is the answer. */
type Match =
  | { kind: 'one'; name: string }
  | { kind: 'none' }
  | { kind: 'several'; names: string[] };

/**
 * Finds a name by its full text, its start, or any part of it. An exact match always wins, and a
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
