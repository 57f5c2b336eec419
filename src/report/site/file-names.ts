// SPDX-License-Identifier: GPL-2.0-only
const longest = 150;

/**
 * A name as a file name that needs no escaping in an address: letters, digits, '-', '_', '.', '+',
 * ',' and '@' stay.
 */
function fileStem(name: string): string {
  const plain = name
    .replaceAll('/', ',')
    .replaceAll(' ', '_')
    .replaceAll(/[^\w.+,@-]/g, (character) => `~${character.charCodeAt(0).toString(16)}`);
  return plain.slice(0, longest);
}

/** File names, one for each item, always the same. */
export function fileNames(prefix: string, names: readonly string[]): Map<string, string> {
  const taken = new Set<string>();
  return new Map(
    [...new Set(names)].sort().map((name) => {
      const stem = `${prefix}-${fileStem(name)}`;
      let file = `${stem}.html`;
      for (let copy = 2; taken.has(file); copy++) file = `${stem}~${copy}.html`;
      taken.add(file);
      return [name, file];
    }),
  );
}
