// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { cachePath } from '../host/cache.ts';
import {
  crossToolchain,
  type Toolchain,
  type ToolchainOptions,
} from '../images/toolchain/toolchain.ts';
import { arm64Zlib, type Zlib } from '../images/toolchain/zlib.ts';
import { buildKey, commonRecipe, sourceFiles } from './build-key.ts';
import { keepBuilt } from './keep-built.ts';

/** The program for live machines, the same bytes on every host. */
interface CollectProgram {
  /** Path in the cache. */
  path: string;
  sha256: string;
}

const sourceDir = join(import.meta.dirname, 'collect');
const recipe = ['build-collect.ts', '../images/toolchain/zlib.ts', ...commonRecipe].map((file) =>
  join(import.meta.dirname, file),
);

/**
 * Compiles guest/collect as a static arm64 program, unless the cache has the one for these sources
 * and this compiler.
 *
 * @throws {PtdiffError} fault `host`, when the compiler is not cached and cannot be fetched;
 * `harness`, when the sources do not compile
 */
export async function buildCollect(options: ToolchainOptions = {}): Promise<CollectProgram> {
  const toolchain = await crossToolchain(options);
  const zlib = await arm64Zlib(options);
  const packages = [...toolchain.packages, ...zlib.packages];
  const key = await buildKey({ packages }, [...(await ownSources()), ...recipe]);
  return keepBuilt(cachePath('guest', `collect-${key}`), 'collect', options, (output) =>
    compileCollect(toolchain, zlib, output),
  );
}

/** Compiles and links, without the cache. */
export async function compileCollect(
  toolchain: Toolchain,
  { includeDirs, library }: Zlib,
  output: string,
): Promise<void> {
  const sources = (await ownSources()).filter((file) => file.endsWith('.c'));
  await toolchain.compileStatic({
    sources,
    includeDirs: [sourceDir, ...includeDirs],
    output,
    flags: ['-std=gnu11', '-Wextra', '-Werror', '-ffunction-sections', '-D_GNU_SOURCE'],
    libraries: [library],
  });
}

function ownSources(): Promise<string[]> {
  return sourceFiles(sourceDir, /\.[ch]$/);
}
