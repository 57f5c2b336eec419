import type { DerivationStep } from './types.ts';

/** Records one step: kernel function or variable, its source, what came out. */
export type Derivation = (where: string, source: string, outcome: string) => void;

/** A derivation that collects its steps. */
export function recordDerivation(): { steps: DerivationStep[]; why: Derivation } {
  const steps: DerivationStep[] = [];
  return { steps, why: (where, source, outcome) => void steps.push({ where, source, outcome }) };
}
