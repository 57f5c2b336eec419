// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from './physical-range.ts';

/** A resource of /proc/iomem, with those inside it. */
interface IomemEntry extends PhysicalRange {
  name: string;
  children: IomemEntry[];
}

/** More than any machine has; entries after that are not read. */
const maxEntries = 10_000;

/**
 * Parses /proc/iomem into a forest. Lines that are not resources are skipped. A reader without
 * CAP_SYS_ADMIN sees zeros for all addresses, which makes every entry one byte at 0: see
 * `hidesAddresses`.
 */
export function parseIomem(text: string): IomemEntry[] {
  const roots: IomemEntry[] = [];
  const path: { indent: number; entry: IomemEntry }[] = [];
  let count = 0;
  for (const line of text.split('\n')) {
    const match = /^( *)([0-9a-f]{1,16})-([0-9a-f]{1,16}) : (.*)$/.exec(line);
    if (!match || ++count > maxEntries) continue;
    const [, spaces = '', from = '', to = '', name = ''] = match;
    const [start, last] = [Number.parseInt(from, 16), Number.parseInt(to, 16)];
    if (last < start) continue;
    const entry = { name, start, end: last + 1, children: [] };
    const indent = spaces.length;
    while ((path.at(-1)?.indent ?? -1) >= indent) path.pop();
    const siblings = path.at(-1)?.entry.children ?? roots;
    siblings.push(entry);
    path.push({ indent, entry });
  }
  return roots;
}

/**
 * All resources with a name, or one of a form, at any depth, in file order: 'System RAM', 'Kernel
 * code', 'Kernel data', 'reserved'.
 */
export function findIomem(entries: readonly IomemEntry[], name: string | RegExp): IomemEntry[] {
  return entries.flatMap((entry) => [
    ...((typeof name === 'string' ? entry.name === name : name.test(entry.name)) ? [entry] : []),
    ...findIomem(entry.children, name),
  ]);
}

/** Whether the kernel hid the addresses from the reader. */
export function hidesAddresses(entries: readonly IomemEntry[]): boolean {
  return entries.length > 0 && entries.every((entry) => entry.start === 0 && entry.end === 1);
}
