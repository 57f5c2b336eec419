// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { buildKey, sourceFiles } from '../../../guest/build-key.ts';
import { keepBuilt } from '../../../guest/keep-built.ts';
import { cachePath } from '../../../host/cache.ts';
import type { FetchOptions } from '../../../images/debian/apt.ts';
import { hostToolchain } from '../../../images/toolchain/toolchain.ts';

/** The recorder as QEMU loads it. */
interface RecorderFile {
  /** Path in the cache. */
  path: string;
  sha256: string;
}

const here = import.meta.dirname;
const recipe = [
  join(here, 'build-recorder.ts'),
  ...['toolchain', 'cross-tools', 'host'].map((name) =>
    join(here, '..', '..', '..', 'images', 'toolchain', `${name}.ts`),
  ),
];
const flags = ['-std=gnu11', '-Wextra', '-Werror', '-fvisibility=hidden', '-fno-common'];

/**
 * Compiles the recorder for this host, unless the cache has the one for these sources and this
 * compiler.
 * @throws PtdiffError(host) when the compiler is not cached and cannot be fetched; (harness) when
 * the sources do not compile
 */
export async function buildRecorder(options: FetchOptions = {}): Promise<RecorderFile> {
  const toolchain = await hostToolchain(options);
  const all = await sourceFiles(here, /\.[ch]$/);
  const key = await buildKey(toolchain, [...all, ...recipe]);
  return keepBuilt(cachePath('guest', `recorder-${key}`), 'recorder.so', options, (output) => {
    const sources = all.filter((file) => file.endsWith('.c'));
    return toolchain.compileShared({ sources, includeDirs: [here], output, flags });
  });
}
