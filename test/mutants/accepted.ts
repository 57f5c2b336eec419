// SPDX-License-Identifier: GPL-2.0-only
/** Mutants that no test can notice, by keyOf(), each with the reason why it is equivalent. */
export const accepted: ReadonlyMap<string, string> = new Map<string, string>([]);
