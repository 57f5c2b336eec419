// SPDX-License-Identifier: GPL-2.0-only
import type { FetchOptions } from '../debian/apt.ts';
import { packageClosure } from '../debian/package-closure.ts';
import { openToolArchive } from '../toolchain/tool-archive.ts';
import { prefixCommand, toolPrefix } from '../toolchain/tool-prefix.ts';

/** A valkey-server that starts on this host. */
export interface Valkey {
  /** Start of its command line: loader, libraries, program. */
  command: [file: string, ...args: string[]];
  /** The package's version. */
  version: string;
}

/**
 * Valkey of Debian's archive with all its libraries, from the cache: an engine of a farm for one
 * machine, and for tests. Nothing is installed.
 * @throws `host` when it is not in the cache and cannot be fetched
 */
export async function packagedValkey(options: FetchOptions = {}): Promise<Valkey> {
  const { tree, packages } = await toolPrefix(
    'valkey-8',
    async () => {
      const archive = await openToolArchive('trixie', options);
      const closure = await packageClosure(archive, ['valkey-server'], 'trixie');
      return { parts: [{ archive, packages: closure }], notes: [] };
    },
    options,
  );
  const version = packages.find(({ name }) => name === 'valkey-server')?.version ?? 'unknown';
  return { command: prefixCommand(tree, 'usr/bin/valkey-server'), version };
}
