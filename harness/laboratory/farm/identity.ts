// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../../host/cache.ts';
import { repositoryRoot, versionText } from '../../../host/version.ts';

/** What of a checkout decides what comes of a case. */
const parts = [
  'src',
  'host',
  'images',
  'guest',
  'harness',
  'results/known-issues',
  'results/store',
];
const singleFiles = ['package-lock.json'];

/** Which ptdiff this is: two of one digest give the same result of the same boot. */
export interface FarmIdentity {
  /** SHA-256 of the sources. */
  digest: string;
  /** For a person. */
  text: string;
}

function filesOf(part: string): string[] {
  return readdirSync(join(repositoryRoot, part), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/^\.|[.~]$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

let known: FarmIdentity | undefined;

/**
 * The sources themselves are compared, not their commit: a checkout with a change of its own is
 * another ptdiff, and one without git is the same.
 */
export function ownIdentity(): FarmIdentity {
  if (known) return known;
  const results = readdirSync(join(repositoryRoot, 'results'))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(repositoryRoot, 'results', name));
  const files = [
    ...parts.flatMap(filesOf),
    ...results,
    ...singleFiles.map((name) => join(repositoryRoot, name)),
  ];
  const lines = files
    .map((file) => `${file.slice(repositoryRoot.length)} ${sha256(readFileSync(file))}`)
    .sort();
  known = { digest: sha256(lines.join('\n')), text: versionText() };
  return known;
}
