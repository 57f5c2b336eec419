// SPDX-License-Identifier: GPL-2.0-only
import type { Recording } from './capture.ts';
import type { OpenCall } from './recorded-operations.ts';
import type { RecordedCall } from './recording-reader.ts';

/** A place in the kernel, function+offset, without the offset. */
export function functionOf(place: string): string {
  return place.replace(/\+0x[0-9a-f]+$/, '');
}

/** The function that a call is one of. */
export function nameOf({ functions }: Recording, { listed }: RecordedCall): string {
  return functions[listed]?.name ?? '?';
}

/** The function from which a listed one is called. */
export function callerOf({ callers }: Recording, { number }: RecordedCall): string {
  return functionOf(callers[number] ?? '?');
}

/** The text of a chain, with who called its outermost function; undefined for an empty one. */
export function chainText(recording: Recording, chain: readonly OpenCall[]): string | undefined {
  const outermost = chain.at(-1);
  if (outermost === undefined) return undefined;
  const names = chain.map(({ call }) => nameOf(recording, call));
  return [...names, callerOf(recording, outermost.call)].join(' <- ');
}
