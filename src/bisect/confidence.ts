// SPDX-License-Identifier: GPL-2.0-only
/** How often kernels that have the sign showed it: a flaky one does not show in every boot. */
export interface Rate {
  shown: number;
  boots: number;
}

/**
 * Probability that a kernel with the sign shows it in none of `boots` boots, as far as the rate is
 * known. Nothing is assumed of the true rate (every one is equally likely beforehand), so that this
 * is the predictive probability of the beta-binomial distribution: with s of n boots shown, the
 * product of (n - s + 1 + i) / (n + 2 + i) over i = 0 … boots - 1.
 */
export function missProbability({ shown, boots: seen }: Rate, boots: number): number {
  let probability = 1;
  for (let i = 0; i < boots; i++) probability *= (seen - shown + 1 + i) / (seen + 2 + i);
  return probability;
}

/**
 * Boots without the sign after which at most `risk` is left that the kernel has it all the same, up
 * to `most`.
 */
export function bootsNeeded(rate: Rate, risk: number, most: number): number {
  let boots = 1;
  while (boots < most && missProbability(rate, boots) > risk) boots++;
  return boots;
}
