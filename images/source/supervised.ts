// SPDX-License-Identifier: GPL-2.0-only
import { withScratch } from '../../host/cache.ts';
import { type GroupEnd, ProcessGroup } from '../../host/process-group.ts';
import { PtdiffError } from '../../src/errors.ts';

/** How a command ended; if it has no status, it ended together with its supervisor. */
type SupervisedResult = Omit<GroupEnd, 'note'>;

/**
 * Maximum minutes for any of these commands: far more than the build of a kernel on one busy CPU.
 */
const defaultMinutes = 12 * 60;

interface SupervisedOptions {
  signal?: AbortSignal;
  /** Characters of output that are kept. */
  maxBuffer?: number;
  /** The command is ended after this time: something must have stopped it. */
  minutes?: number;
}

/**
 * Runs a command that changes files in which the next ptdiff would also work. It and its children
 * end together with this process, however that ends, and when the signal is aborted. An abort
 * during the command throws nothing here: the caller checks the signal again.
 * @param env the whole environment; TMPDIR is a folder that is removed afterwards
 * @throws `host` when it cannot be started or does not end; the signal's reason, if it was aborted
 * before the start
 */
export async function runSupervised(
  command: string[],
  env: Record<string, string>,
  { signal, maxBuffer = 2 ** 20, minutes = defaultMinutes }: SupervisedOptions = {},
): Promise<SupervisedResult> {
  signal?.throwIfAborted();
  return withScratch(async (scratch) => {
    const group = await ProcessGroup.start(command, {
      scratch,
      env: { ...env, TMPDIR: scratch },
      maxBuffer,
    });
    let overdue = false;
    const limit = setTimeout(() => {
      overdue = true;
      void group.end();
    }, minutes * 60_000);
    const stop = () => void group.end();
    signal?.addEventListener('abort', stop);
    group.begin();
    const { status, stdout, stderr } = await group.ended;
    signal?.removeEventListener('abort', stop);
    clearTimeout(limit);
    if (overdue)
      throw new PtdiffError(
        'host',
        `${command[0]} did not end within ${minutes} minutes and was killed.`,
      );
    return { stdout, stderr, ...(status !== undefined && { status }) };
  });
}
