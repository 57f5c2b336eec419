// SPDX-License-Identifier: GPL-2.0-only
import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** tmpfs of every Linux (shm_overview(7)). */
const sharedMemory = '/dev/shm';

/**
 * The best place for guests' memory: a tmpfs if it has room for `bytes`, since the host's kernel
 * would write the dirty pages of another file system to disk; otherwise the folder for temporary
 * files.
 */
export function scratchDirectory(bytes: number): string {
  try {
    accessSync(sharedMemory, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(sharedMemory);
    return bavail * bsize >= bytes ? sharedMemory : tmpdir();
  } catch {
    return tmpdir();
  }
}

/**
 * Runs `use` with the folder for the files of a machine with that many MiB. It is not a separate
 * folder, which would be left behind when this process is killed: a machine creates one itself,
 * known to its supervisor (virtual-machine.ts), until both sides have its files open.
 */
export function withMachineFolder<Result>(
  { memory }: { memory: number },
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  return use(scratchDirectory(memory * 2 ** 20));
}
