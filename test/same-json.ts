// SPDX-License-Identifier: GPL-2.0-only
import { stableJson } from '../src/stable-json.ts';

/** Whether two values have the same text in JSON, as stableJson() writes it; much faster. */
export function isSame(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || !left || !right) return false;
  if (Array.isArray(left) && Array.isArray(right))
    return left.length === right.length && left.every((item, index) => isSame(item, right[index]));
  if (left instanceof Map || right instanceof Map || Array.isArray(left) !== Array.isArray(right))
    return stableJson(left) === stableJson(right);
  // A member that is undefined is as good as none.
  const [one, other] = [left as Record<string, unknown>, right as Record<string, unknown>];
  for (const key in one) if (!isSame(one[key], other[key])) return false;
  for (const key in other) if (other[key] !== undefined && !(key in one)) return false;
  return true;
}
