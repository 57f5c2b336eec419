// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, PtdiffError } from '../src/errors.ts';

/**
 * The result of a promise, unless it takes too long.
 * @param what the start of the sentence 'QEMU did not come up within 120 s.'
 * @param fault the fault of the timeout error
 * @throws PtdiffError(fault) on timeout; what the promise throws
 */
export async function within<T>(
  milliseconds: number,
  what: string,
  promise: Promise<T>,
  fault: Fault = 'emulator',
): Promise<T> {
  const enough = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: enough.signal }).then(() => {
    throw new PtdiffError(fault, `${what} within ${milliseconds / 1000} s.`);
  });
  // When the timeout is cancelled, nothing handles its rejection.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    enough.abort();
  }
}
