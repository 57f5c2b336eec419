// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { cachePath } from '../host/cache.ts';
import {
  type CompressionLibraries,
  compressionLibraries,
} from '../images/toolchain/compression.ts';
import {
  crossToolchain,
  hostToolchain,
  type Toolchain,
  type ToolchainOptions,
} from '../images/toolchain/toolchain.ts';
import { buildKey, commonRecipe, sourceFiles } from './build-key.ts';
import { keepBuilt } from './keep-built.ts';

/** The program for live machines, the same bytes on every host; or the one that reads dumps here. */
interface CollectProgram {
  /** Path in the cache. */
  path: string;
  sha256: string;
}

interface CollectOptions extends ToolchainOptions {
  /** Where it is to run; default: on a live arm64 machine. */
  target?: 'guest' | 'host';
}

const sourceDir = join(import.meta.dirname, 'collect');
const recipe = [
  'build-collect.ts',
  ...['compression', 'host'].map((name) => `../images/toolchain/${name}.ts`),
  ...commonRecipe,
].map((file) => join(import.meta.dirname, file));

/**
 * Compiles guest/collect as a static program, unless the cache has the one for these sources and
 * this compiler.
 *
 * @throws {PtdiffError} fault `host`, when the compiler is not cached and cannot be fetched;
 * `harness`, when the sources do not compile
 */
export async function buildCollect(options: CollectOptions = {}): Promise<CollectProgram> {
  const { target = 'guest' } = options;
  const toolchain = await (target === 'guest' ? crossToolchain : hostToolchain)(options);
  const compression = await compressionLibraries(target, options);
  const packages = [...toolchain.packages, ...compression.packages];
  const key = await buildKey({ packages }, [...(await ownSources()), ...recipe]);
  const directory = cachePath('guest', `collect-${target}-${key}`);
  return keepBuilt(directory, 'collect', options, (output) =>
    compileCollect(toolchain, compression, output),
  );
}

/** Compiles and links, without the cache. */
export async function compileCollect(
  toolchain: Pick<Toolchain, 'compileStatic'>,
  { includeDirs, libraries }: CompressionLibraries,
  output: string,
): Promise<void> {
  const sources = (await ownSources()).filter((file) => file.endsWith('.c'));
  await toolchain.compileStatic({
    sources,
    includeDirs: [sourceDir, ...includeDirs],
    output,
    flags: ['-std=gnu11', '-Wextra', '-Werror', '-ffunction-sections', '-D_GNU_SOURCE'],
    libraries,
  });
}

function ownSources(): Promise<string[]> {
  return sourceFiles(sourceDir, /\.[ch]$/);
}
