// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, withScratch } from '../host/cache.ts';
import {
  crossToolchain,
  type Toolchain,
  type ToolchainOptions,
} from '../images/toolchain/toolchain.ts';
import { buildKey, commonRecipe, sourceFiles } from './build-key.ts';
import { type CpioEntry, writeCpio } from './cpio.ts';
import { keepBuilt } from './keep-built.ts';

/** The initramfs that every guest boots, the same bytes on every host. */
export interface Initramfs {
  /** Path in the cache. */
  path: string;
  sha256: string;
}

const sourceDir = join(import.meta.dirname, 'init');
/**
 * What determines the bytes, besides the sources and the compiler: the code that puts them
 * together.
 */
const recipe = ['build.ts', 'cpio.ts', ...commonRecipe].map((file) =>
  join(import.meta.dirname, file),
);

/**
 * Compiles guest/init and packs it as an initramfs, unless the cache has the one for these sources
 * and this compiler.
 *
 * @throws {PtdiffError} fault `host`, when the compiler is not cached and cannot be fetched;
 * `harness`, when the sources do not compile
 */
export async function buildInitramfs(options: ToolchainOptions = {}): Promise<Initramfs> {
  const toolchain = await crossToolchain(options);
  const directory = cachePath(
    'guest',
    `init-${await buildKey(toolchain, [...(await ownSources()), ...recipe])}`,
  );
  return keepBuilt(directory, 'initramfs.cpio', options, async (output) => {
    await writeFile(output, await packInitramfs(toolchain));
  });
}

/** Compiles and packs, without the cache. */
export async function packInitramfs(toolchain: Toolchain): Promise<Uint8Array> {
  return withScratch(async (scratch) => {
    const output = join(scratch, 'init');
    const sources = (await ownSources()).filter((file) => file.endsWith('.c'));
    const flags = ['-std=gnu11', '-Wextra', '-ffunction-sections', '-D_GNU_SOURCE'];
    await toolchain.compileStatic({ sources, includeDirs: [sourceDir], output, flags });
    return writeCpio(initramfsEntries(await readFile(output)));
  });
}

/**
 * The kernel opens /dev/console as init's standard output before any device file system is mounted.
 */
function initramfsEntries(init: Uint8Array): CpioEntry[] {
  return [
    { kind: 'directory', path: 'dev', mode: 0o755 },
    { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'directory', path: 'proc', mode: 0o755 },
    { kind: 'directory', path: 'sys', mode: 0o755 },
    { kind: 'file', path: 'init', mode: 0o755, content: init },
  ];
}

function ownSources(): Promise<string[]> {
  return sourceFiles(sourceDir, /\.[ch]$/);
}
