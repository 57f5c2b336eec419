// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../host/cache.ts';
import type { Toolchain } from '../images/toolchain/toolchain.ts';

/**
 * What determines the bytes of every program, besides its sources and the compiler, by path from
 * this folder.
 */
export const commonRecipe = [
  'build-key.ts',
  ...['toolchain', 'cross-tools', 'gnu', 'llvm'].map((name) => `../images/toolchain/${name}.ts`),
];

/**
 * Files of a folder whose names match, in an order that does not depend on the host's file system.
 */
export async function sourceFiles(directory: string, names: RegExp): Promise<string[]> {
  const found = (await readdir(directory)).filter((name) => names.test(name));
  return found.sort().map((name) => join(directory, name));
}

/**
 * Sixteen hex digits that change with every source, with the way the sources are built, and with
 * the compiler.
 */
export async function buildKey(
  toolchain: Pick<Toolchain, 'packages'>,
  files: string[],
): Promise<string> {
  const contents = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  const packages = toolchain.packages
    .map(({ name, version, sha256: digest }) => [name, version, digest])
    .sort();
  return sha256(JSON.stringify([contents, packages])).slice(0, 16);
}
