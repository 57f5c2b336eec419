// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { $, echo, fs, minimist } from 'zx';
import { PtdiffError } from '../src/errors.ts';

/** Prints what went wrong in one sentence, like ptdiff's verbs; a defect gets its stack trace. */
process.on('uncaughtException', (error) => {
  console.error(error instanceof PtdiffError ? error.message : error);
  process.exit(error instanceof PtdiffError && error.fault === 'usage' ? 2 : 3);
});

/** Folder of the project. */
export const root = join(import.meta.dirname, '..');

/**
 * The arguments of a script. With fewer than `least` it ends with exit code 2 and prints its usage.
 * (zx's own argv parses 6.12 as a number.)
 */
export function wordsOf(usage: string, least: number): string[] {
  const words = minimist(process.argv.slice(2), { string: ['_'] })._;
  if (words.length >= least) return words;
  console.error(`Usage: ${usage}`);
  process.exit(2);
}

/**
 * Writes a text compressed, unless the file already contains it: another version of zlib would give
 * different bytes for the same text.
 */
export function writePacked(path: string, text: string): void {
  if (fs.existsSync(path) && gunzipSync(fs.readFileSync(path)).toString() === text) return;
  fs.writeFileSync(path, gzipSync(text, { level: 9 }));
}

/**
 * Lists which of the files that a script may write differ from the last commit, so that an
 * unexpected change of a recording is noticed.
 * @param paths below the folder of the project
 */
export async function tellChanges(...paths: string[]): Promise<void> {
  const { stdout } = await $({ cwd: root })`git status --short --untracked-files=all -- ${paths}`;
  echo(stdout.trimEnd() || 'As it is in the last commit.');
}
