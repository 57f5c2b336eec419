// SPDX-License-Identifier: GPL-2.0-only
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { CaseQueue } from './case-queue.ts';

/** How a case ended: with its result, or with an error that is not the kernel's fault. */
export type CaseEnd<C, R> = { case: C; result: R } | { case: C; error: PtdiffError };

export type SchedulerEvent<C> =
  | { kind: 'started' | 'ended'; case: C }
  | { kind: 'retried'; case: C; error: PtdiffError };

interface SchedulerOptions<C> {
  /** Number of cases that run at the same time. */
  jobs: number;
  signal: AbortSignal;
  /**
   * Called before each case; true ends the run in order: running cases are completed, and no other
   * starts.
   */
  enough?(): boolean;
  /**
   * Awaited before each case: settles when one can be run, or the signal is aborted. Which one that
   * is, is decided then.
   */
  turn?(signal: AbortSignal): Promise<void>;
  /** Whether what may go better is tried once more here; default: true. */
  retry?: boolean;
  onEvent?(event: SchedulerEvent<C>): void;
}

/** A second attempt may succeed for these; with a usage or image error it will not. */
const retriedFaults: ReadonlySet<PtdiffError['fault']> = new Set(['emulator', 'host', 'harness']);

/**
 * Runs cases, `jobs` at a time, until no more come, and yields how each ended, in the order in which
 * they end. A case that fails because of the harness, emulator or host is tried once more. When the
 * signal is aborted, running cases are awaited (they see the signal too), nothing more is yielded,
 * and the iteration ends.
 */
export async function* runCases<C, R>(
  cases: readonly C[] | CaseQueue<C>,
  run: (each: C, signal: AbortSignal) => Promise<R>,
  options: SchedulerOptions<C>,
): AsyncGenerator<CaseEnd<C, R>> {
  const { jobs, signal, enough = () => false, turn, retry = true, onEvent = () => {} } = options;
  // A caller that stops iterating also ends the running cases.
  const ending = new AbortController();
  const either = AbortSignal.any([signal, ending.signal]);
  const queue = cases instanceof CaseQueue ? cases : CaseQueue.of(cases);
  const ends: CaseEnd<C, R>[] = [];
  let wake = Promise.withResolvers<void>();

  async function work(): Promise<void> {
    while (await queue.ready(either)) {
      await turn?.(either);
      if (either.aborted || enough()) {
        return;
      }
      const each = queue.take();
      if (each === undefined) {
        continue;
      }
      onEvent({ kind: 'started', case: each });
      const end = await (retry ? attempt(each, run, either, onEvent) : once(each, run, either));
      if (either.aborted) {
        return;
      }
      onEvent({ kind: 'ended', case: each });
      ends.push(end);
      wake.resolve();
    }
  }

  const workers = Promise.all(Array.from({ length: Math.max(1, jobs) }, work)).then(
    () => 'done' as const,
  );
  try {
    for (;;) {
      const state = await Promise.race([workers, wake.promise]);
      wake = Promise.withResolvers();
      yield* ends.splice(0);
      if (state === 'done') {
        return;
      }
    }
  } finally {
    ending.abort();
    await workers;
  }
}

async function attempt<C, R>(
  each: C,
  run: (each: C, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
  onEvent: (event: SchedulerEvent<C>) => void,
): Promise<CaseEnd<C, R>> {
  const first = await once(each, run, signal);
  if ('result' in first || signal.aborted || !retriedFaults.has(first.error.fault)) {
    return first;
  }
  onEvent({ kind: 'retried', case: each, error: first.error });
  return once(each, run, signal);
}

async function once<C, R>(
  each: C,
  run: (each: C, signal: AbortSignal) => Promise<R>,
  signal: AbortSignal,
): Promise<CaseEnd<C, R>> {
  try {
    return { case: each, result: await run(each, signal) };
  } catch (error) {
    const known = error instanceof PtdiffError;
    return {
      case: each,
      error: known ? error : new PtdiffError('harness', messageOf(error), { cause: error }),
    };
  }
}
