// SPDX-License-Identifier: GPL-2.0-only
import type { DerivationStep } from './types.ts';

/** Records one step: kernel function or variable, its source, and the result. */
export type Derivation = (where: string, source: string, outcome: string) => void;

/** A derivation that collects its steps, and reports each one when it is complete. */
export function recordDerivation(told: (step: DerivationStep) => void = () => {}): {
  steps: DerivationStep[];
  why: Derivation;
} {
  const steps: DerivationStep[] = [];
  const why: Derivation = (where, source, outcome) => {
    const step = { where, source, outcome };
    steps.push(step);
    told(step);
  };
  return { steps, why };
}
