// SPDX-License-Identifier: GPL-2.0-only
/**
 * Turns '0x…' strings back into the bigints that stableJson() wrote, all through a value. Only for
 * data in which no other text can look so: never for what a guest said.
 */
export function revive(value: unknown): unknown {
  if (typeof value === 'string' && /^0x[0-9a-f]+$/.test(value)) return BigInt(value);
  if (Array.isArray(value)) return value.map(revive);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revive(member)]));
}
