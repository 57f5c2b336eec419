// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildCollect } from '../../guest/build-collect.ts';
import { sourceFiles } from '../../guest/build-key.ts';
import { type CpioEntry, writeCpio } from '../../guest/cpio.ts';
import { crossToolchain } from '../../images/toolchain/toolchain.ts';

const sources = join(import.meta.dirname, 'collect-guest');

/**
 * Writes an initramfs whose first process is test/guest/collect-guest/init.c.
 * @param directory existing folder for it
 * @param crashImage path of an Image to load as the crash kernel
 * @returns its path
 */
export async function collectGuest(directory: string, crashImage?: string): Promise<string> {
  const init = join(directory, 'init');
  const toolchain = await crossToolchain();
  await toolchain.compileStatic({
    sources: await sourceFiles(sources, /\.c$/),
    includeDirs: [sources],
    output: init,
    flags: ['-std=gnu11', '-Wextra', '-Werror', '-D_GNU_SOURCE'],
  });
  const entries: CpioEntry[] = [
    { kind: 'directory', path: 'dev', mode: 0o755 },
    { kind: 'character-device', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { kind: 'file', path: 'init', mode: 0o755, content: await readFile(init) },
    {
      kind: 'file',
      path: 'collect',
      mode: 0o755,
      content: await readFile((await buildCollect()).path),
    },
  ];
  if (crashImage !== undefined)
    entries.push(
      { kind: 'directory', path: 'crash', mode: 0o755 },
      { kind: 'file', path: 'crash/initramfs', mode: 0o644, content: writeCpio(entries) },
      { kind: 'file', path: 'crash/Image', mode: 0o644, content: await readFile(crashImage) },
    );
  const path = join(directory, 'initramfs.cpio');
  await writeFile(path, writeCpio(entries));
  return path;
}
