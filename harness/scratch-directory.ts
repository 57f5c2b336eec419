import { accessSync, constants, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { withDir } from 'tmp-promise';

/** tmpfs of every Linux (shm_overview(7)). */
const sharedMemory = '/dev/shm';

/**
 * Where guests' memory lies best: a tmpfs when it has room for `bytes`, since the host's kernel would write the dirty pages of
 * another file system to its disk; else the folder for temporary files.
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

/** Runs `use` with an empty folder for a machine of so many MiB, which is removed afterwards. */
export function withMachineFolder<Result>(
  { memory }: { memory: number },
  use: (path: string) => Promise<Result>,
): Promise<Result> {
  const options = { tmpdir: scratchDirectory(memory * 2 ** 20), prefix: 'ptdiff-', unsafeCleanup: true };
  return withDir(({ path }) => use(path), options);
}
