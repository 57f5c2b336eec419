// SPDX-License-Identifier: GPL-2.0-only
import { last } from '../present.ts';
import type { Recording } from './capture.ts';
import { chainOf, type RecordedOperation } from './follow-recording.ts';
import type { RecordedCall } from './recorded-calls.ts';

/** A place in the kernel, function+offset, without the offset. */
export function functionOf(place: string): string {
  return place.replace(/\+0x[0-9a-f]+$/, '');
}

/** The function from which a listed one is called. */
export function callerOf({ callers }: Recording, { number }: RecordedCall): string {
  return functionOf(callers[number] ?? '?');
}

/**
 * The functions that an operation belongs to, the innermost first, and who called the outermost
 * one; undefined for none.
 */
export function chainText(
  recording: Recording,
  innermost: RecordedOperation | undefined,
): string | undefined {
  if (innermost === undefined) return undefined;
  const chain = chainOf(innermost);
  return [...chain.map(({ name }) => name), callerOf(recording, last(chain).call)].join(' <- ');
}
