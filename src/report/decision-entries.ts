// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../diff/types.ts';
import { decisionName } from '../model/decision-names.ts';
import type { Decisions } from '../model/types.ts';
import type { CaseDossier } from './types.ts';

/** The kernel's decisions as the model derives them, by the kernel's names. */
export function decisionEntries({
  decisions = {},
  derivation = [],
}: Pick<CaseDossier, 'decisions' | 'derivation'>): [string, string][] {
  const known = Object.entries(decisions) as [keyof Decisions, boolean | undefined][];
  return known
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [decisionName(name, derivation), value ? 'yes' : 'no']);
}

/**
 * Variables that were read from the kernel's memory; a result also holds derived values, for
 * trends.
 */
export function capturedEntries({ symbols }: Pick<CaseResult, 'symbols'>): [string, string][] {
  return Object.entries(symbols).filter(
    ([name]) => name !== 'generation' && !name.startsWith('predicted '),
  );
}
