// SPDX-License-Identifier: GPL-2.0-only
/** How often kernels that have the sign showed it: a flaky sign does not show in every boot. */
export interface Rate {
  shown: number;
  boots: number;
}

/**
 * Probability that a kernel with the sign shows it in none of `boots` boots, given what is known of
 * the rate. Nothing is assumed about the true rate (every rate is equally likely beforehand), so
 * this is the predictive probability of the beta-binomial distribution: with s of n boots shown,
 * the product of (n - s + 1 + i) / (n + 2 + i) over i = 0 … boots - 1.
 */
export function missProbability({ shown, boots: seen }: Rate, boots: number): number {
  let probability = 1;
  for (let i = 0; i < boots; i++) probability *= (seen - shown + 1 + i) / (seen + 2 + i);
  return probability;
}

/**
 * Number of boots without the sign, up to `most`, after which the risk that the kernel has it after
 * all is at most `risk`.
 */
export function bootsNeeded(rate: Rate, risk: number, most: number): number {
  let boots = 1;
  while (boots < most && missProbability(rate, boots) > risk) boots++;
  return boots;
}
