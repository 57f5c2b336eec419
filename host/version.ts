// SPDX-License-Identifier: GPL-2.0-only
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Root of the repository. */
export const repositoryRoot = join(import.meta.dirname, '..');

/** Version of this ptdiff, with its commit where it is a git checkout. */
export function versionOf(): { version: string; commit?: string } {
  const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  try {
    const options = { cwd: repositoryRoot, encoding: 'utf8', stdio: 'pipe' } as const;
    return {
      version,
      commit: execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], options).trim(),
    };
  } catch {
    return { version };
  }
}

/** The same as text, e.g. 'ptdiff 0.1.0 (ed76b316da33)'. */
export function versionText(): string {
  const { version, commit } = versionOf();
  return commit === undefined ? `ptdiff ${version}` : `ptdiff ${version} (${commit})`;
}
