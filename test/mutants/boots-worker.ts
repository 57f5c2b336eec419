// SPDX-License-Identifier: GPL-2.0-only
import { on } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { BootsAnswer, BootsInput, BootsQuestion } from './boots.ts';
import { answerWithin } from './silence.ts';

/** A mutant that makes one boot take so much longer loops for good. Seconds. */
export const patience = 120;
/** Seconds in which the recorded boots are read and looked at once, on a busy host. */
export const toLoad = 600;

/** A worker of boots.ts, and what it says next. */
export interface BootsWorker {
  worker: Worker;
  /** Asks about a mutant; next() is the answer. */
  ask(question: BootsQuestion): void;
  /**
   * 'silent' when it says nothing for so many seconds (by default: `patience`), or has used up its
   * memory: either is a mutant that loops for good.
   */
  next(seconds?: number): Promise<BootsAnswer | 'silent'>;
}

/** Starts a worker with all mutants in it, none or one of them in force from the start. */
export function startBoots(input: BootsInput): BootsWorker {
  const worker = new Worker(join(import.meta.dirname, 'boots.ts'), {
    workerData: input,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  // Kept until they are asked for: they come faster than that.
  const messages = on(worker, 'message');
  const next = async (seconds = patience): Promise<BootsAnswer | 'silent'> => {
    for (;;) {
      const got = await answerWithin(seconds, messages.next().catch(silentWithoutMemory));
      if (got === 'silent') return got;
      const [answer] = (got.value ?? []) as BootsAnswer[];
      if (answer && answer.kind !== 'asking') return answer;
    }
  };
  return { worker, ask: (question) => worker.postMessage(question), next };
}

function silentWithoutMemory(error: NodeJS.ErrnoException): 'silent' {
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'silent';
  throw error;
}
