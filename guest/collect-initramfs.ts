// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { cachePath, sha256 } from '../host/cache.ts';
import type { FetchOptions } from '../images/debian/apt.ts';
import { concatenate } from '../src/bytes.ts';
import type { Initramfs } from './build.ts';
import { buildCollect } from './build-collect.ts';
import { writeCpio } from './cpio.ts';
import { keepBuilt } from './keep-built.ts';

/**
 * An initramfs with guest/collect as /collect, for a guest that plays the live machine: init runs it
 * where it is asked to with `ptdiff.collect=board`. It is a second archive after the first one; the
 * kernel unpacks both (Documentation/driver-api/early-userspace/buffer-format.rst).
 */
export async function withCollect(
  initramfs: Initramfs,
  options: FetchOptions = {},
): Promise<Initramfs> {
  const content = await readFile((await buildCollect(options)).path);
  const archive = writeCpio([{ kind: 'file', path: 'collect', mode: 0o755, content }]);
  const first = await readFile(initramfs.path);
  const bytes = concatenate([first, new Uint8Array(-first.length & 3), archive]);
  const directory = cachePath('guest', `with-collect-${sha256(bytes).slice(0, 16)}`);
  return keepBuilt(directory, 'initramfs.cpio', options, (output) => writeFile(output, bytes));
}
