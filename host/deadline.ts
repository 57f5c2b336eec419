// SPDX-License-Identifier: GPL-2.0-only
import { setTimeout as sleep } from 'node:timers/promises';
import { type Fault, PtdiffError } from '../src/errors.ts';

/**
 * What a promise gives, unless it takes longer than that.
 * @param what the start of the sentence 'QEMU did not come up within 120 s.'
 * @param fault whose fault it then is
 * @throws PtdiffError(fault) in that case; what the promise throws
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
  // It is nobody's to hear that the wait was not needed.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    enough.abort();
  }
}
