// SPDX-License-Identifier: GPL-2.0-only
import { within } from '../../host/deadline.ts';
import { PtdiffError } from '../../src/errors.ts';

/** What a process answers, or 'silent' if it takes longer than that. A mutant may loop for good. */
export async function answerWithin<T>(seconds: number, answer: Promise<T>): Promise<T | 'silent'> {
  try {
    return await within(seconds * 1000, 'No answer', answer);
  } catch (error) {
    if (error instanceof PtdiffError) return 'silent';
    throw error;
  }
}
