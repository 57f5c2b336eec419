// SPDX-License-Identifier: GPL-2.0-only
/** xorshift32 (Marsaglia, 2003): the same numbers, from 0 to 1, for the same seed. */
export function numbersOf(seed: number): () => number {
  let state = seed || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
