// SPDX-License-Identifier: GPL-2.0-only
import type { Change, Commit } from '../linux/changes/change.ts';
import { changeIds, changes } from '../linux/changes/index.ts';
import type { KernelChange } from '../model/changes.ts';

/** A commit in the kernel's own citation style, as far as it is known. */
export function citation({ id, subject }: Commit): string {
  if (subject === undefined) return `${id} (subject not known)`;
  return id === undefined ? `("${subject}"; id not known)` : `${id} ("${subject}")`;
}

/** '7.2 to before 7.3; stable 6.12.117'. */
function releasesOf({ since, until, stables = [] }: Change): string {
  const span = until === undefined ? since : `${since} to before ${until}`;
  return stables.length === 0 ? span : `${span}; stable ${stables.join(', ')}`;
}

/** Indented lines of one change: a label before each text. */
function detailsOf(change: Change): [label: string, text: string][] {
  return [
    ['since', releasesOf(change)],
    ...change.commits.map((commit): [string, string] => ['commit', citation(commit)]),
    ...(change.undoneBy ?? []).map((commit): [string, string] => ['undone by', citation(commit)]),
    ['shown by', change.shown ?? 'nothing in an Image; its release counts'],
    ['in', change.functions.join(', ')],
    ...(change.issues ? [['issues', change.issues.join(', ')] as [string, string]] : []),
    ...(change.noBranch ? [['model', `no branch: ${change.noBranch}`] as [string, string]] : []),
  ];
}

/** Every change with its commits and what it affects: one paragraph each. */
export function changeParagraphs(): string[] {
  return changeIds.flatMap((id, index) => [
    ...(index === 0 ? [] : ['']),
    id,
    `  ${changes[id].rule}.`,
    ...detailsOf(changes[id]).map(([label, text]) => `  ${`${label}:`.padEnd(10)} ${text}`),
  ]);
}

/** Rows of the table of one kernel, its headings first. */
export function kernelChangeRows(of: readonly KernelChange[]): string[][] {
  const row = ({ id, has, by }: KernelChange): string[] => [
    has ? 'yes' : 'no',
    id,
    releasesOf(changes[id]),
    by,
  ];
  return [['HAS', 'CHANGE', 'SINCE', 'BY'], ...of.map(row)];
}
