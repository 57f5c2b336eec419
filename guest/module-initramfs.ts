// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { cachePath, sha256 } from '../host/cache.ts';
import type { FetchOptions } from '../images/debian/apt.ts';
import { concatenate } from '../src/bytes.ts';
import type { Initramfs } from './build.ts';
import { writeCpio } from './cpio.ts';
import { keepBuilt } from './keep-built.ts';

/**
 * An initramfs with a kernel's modules in /modules, and their order in /modules/list for init's
 * probe `modules`: a second archive after the first one; the kernel unpacks both
 * (Documentation/driver-api/early-userspace/buffer-format.rst).
 * @param modules paths of module files, each after the modules that it needs
 */
export async function withModules(
  initramfs: Initramfs,
  modules: readonly string[],
  options: FetchOptions = {},
): Promise<Initramfs> {
  const files = await Promise.all(
    modules.map(async (path) => ({ name: basename(path), content: await readFile(path) })),
  );
  const archive = writeCpio([
    { kind: 'directory', path: 'modules', mode: 0o755 },
    ...files.map(({ name, content }) => ({
      kind: 'file' as const,
      path: `modules/${name}`,
      mode: 0o644,
      content,
    })),
    {
      kind: 'file',
      path: 'modules/list',
      mode: 0o644,
      content: new TextEncoder().encode(files.map(({ name }) => name).join(',')),
    },
  ]);
  const first = await readFile(initramfs.path);
  const bytes = concatenate([first, new Uint8Array(-first.length & 3), archive]);
  const directory = cachePath('guest', `modules-${sha256(bytes).slice(0, 16)}`);
  return keepBuilt(directory, 'initramfs.cpio', options, (output) => writeFile(output, bytes));
}
