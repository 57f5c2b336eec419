// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cachePath, withScratch } from '../host/cache.ts';
import {
  crossToolchain,
  type Toolchain,
  type ToolchainOptions,
} from '../images/toolchain/toolchain.ts';
import { buildKey, commonRecipe, sourceFiles } from './build-key.ts';
import { keepBuilt } from './keep-built.ts';

/**
 * The realm monitor's code, the same bytes on every host; `monitorFlash` makes a flash image from
 * it.
 */
interface MonitorImage {
  /** Path in the cache. */
  path: string;
  sha256: string;
}

const sourceDir = join(import.meta.dirname, 'monitor');
const linkerScript = join(sourceDir, 'monitor.lds');
const recipe = ['build-monitor.ts', ...commonRecipe].map((file) => join(import.meta.dirname, file));

/**
 * For EL2 of any CPU from Armv8.0 on, without a C library, with the MMU off: no unaligned access,
 * no vector register.
 */
const flags = [
  ...['-std=gnu11', '-Wextra', '-Werror', '-fno-stack-protector'],
  ...['-mstrict-align', '-mgeneral-regs-only', '-fvisibility=hidden'],
  ...['-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-common'],
];

/**
 * Compiles guest/monitor, unless the cache has the image for these sources and this compiler.
 *
 * @throws {PtdiffError} fault `host`, when the compiler is not cached and cannot be fetched;
 * `harness`, when the sources do not compile
 */
export async function buildMonitor(options: ToolchainOptions = {}): Promise<MonitorImage> {
  const toolchain = await crossToolchain(options);
  const directory = cachePath(
    'guest',
    `monitor-${await buildKey(toolchain, [...(await ownSources()), ...recipe])}`,
  );
  return keepBuilt(directory, 'monitor.bin', options, (output) => compile(toolchain, output));
}

/** Compiles and links, without the cache. */
export async function linkMonitor(toolchain: Toolchain): Promise<Uint8Array> {
  return withScratch(async (scratch) => {
    const output = join(scratch, 'monitor.bin');
    await compile(toolchain, output);
    return readFile(output);
  });
}

async function compile(toolchain: Toolchain, output: string): Promise<void> {
  const sources = (await ownSources()).filter((file) => /\.[cS]$/.test(file));
  await toolchain.compileImage({ sources, includeDirs: [sourceDir], linkerScript, output, flags });
}

function ownSources(): Promise<string[]> {
  return sourceFiles(sourceDir, /\.([chS]|lds)$/);
}
