// SPDX-License-Identifier: GPL-2.0-only
import { withScratch } from '../../host/cache.ts';
import { type GroupEnd, ProcessGroup } from '../../host/process-group.ts';
import { PtdiffError } from '../../src/errors.ts';

/** How a command ended: without a status it was ended together with its supervisor. */
type SupervisedResult = Omit<GroupEnd, 'note'>;

/**
 * Minutes that any of these commands may take: far more than the build of a kernel on one busy CPU.
 */
const defaultMinutes = 12 * 60;

interface SupervisedOptions {
  signal?: AbortSignal;
  /** Characters of output that are kept. */
  maxBuffer?: number;
  /** After so long it is ended: something stopped it. */
  minutes?: number;
}

/**
 * Runs a command that changes files which the next ptdiff would work in, too: it and its children
 * end with this process, whatever ends that, and when the signal says so: the caller looks at it
 * again, for then nothing is thrown here.
 * @param env the whole environment; TMPDIR is a folder that is gone afterwards
 * @throws `host` when it cannot be started or comes to no end; the signal's reason, where it has
 * come before the start
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
        `${command[0]} came to no end in ${minutes} minutes and was ended.`,
      );
    return { stdout, stderr, ...(status !== undefined && { status }) };
  });
}
