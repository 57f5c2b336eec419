// SPDX-License-Identifier: GPL-2.0-only
import { hexOf } from './bigint-json.ts';

/** A value that JSON can represent; `undefined` members are left out, as in JSON. */
type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function normalise(value: unknown): Json | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return hexOf(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => normalise(item) ?? null);
  if (typeof value !== 'object') return undefined;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const members: [string, Json][] = [];
  for (const [key, member] of entries) {
    const json = normalise(member);
    if (json !== undefined) members.push([String(key), json]);
  }
  return Object.fromEntries(members.sort(([left], [right]) => compareKeys(left, right)));
}

/**
 * JSON that is always the same for the same value: keys sorted by code unit, bigint as hexadecimal
 * strings ('0x…'), Map as an object, undefined members left out. `indent` is the number of spaces;
 * 0 gives one line.
 *
 * @throws TypeError for NaN and infinities, which JSON cannot represent.
 */
export function stableJson(value: unknown, indent = 0): string {
  return JSON.stringify(normalise(value) ?? null, null, indent);
}
