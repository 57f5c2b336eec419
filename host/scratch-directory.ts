// SPDX-License-Identifier: GPL-2.0-only
import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** tmpfs of every Linux (shm_overview(7)). */
const sharedMemory = '/dev/shm';

/**
 * Where guests' memory lies best: a tmpfs when it has room for `bytes`, since the host's kernel
 * would write the dirty pages of another file system to its disk; else the folder for temporary
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
 * Runs `use` with the folder that the files of a machine of so many MiB go to. It is no folder of
 * its own, which would be left behind when this process is killed: a machine makes one under the
 * eyes of its supervisor (virtual-machine.ts), for the moment until both sides hold its files open.
 */
export function withMachineFolder<Result>(
  { memory }: { memory: number },
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  return use(scratchDirectory(memory * 2 ** 20));
}
