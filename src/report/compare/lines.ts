// SPDX-License-Identifier: GPL-2.0-only
import { explain } from '../../compare/steps.ts';
import type { Composition, Difference, DifferenceGroup, Sides } from '../../compare/types.ts';
import type { DerivationStep } from '../../model/types.ts';

/** One statement of a report: what differs, and the values on both sides. */
interface Statement {
  what: string;
  change: string;
  /** For a finding: its stable id, for use in other commands. */
  id?: string;
}

/** The checkpoints in the form that a reader needs: none if it is all of them. */
function when({ checkpoints }: Difference, reached: readonly Composition[]): string {
  const all = checkpoints.length === 0 || checkpoints.length >= reached.length;
  return all ? '' : ` at ${checkpoints.join(', ')}`;
}

/** Parts of memory that change in the same way, as one statement. */
function layoutStatements(
  differences: readonly Difference[],
  reached: readonly Composition[],
): Statement[] {
  const same = Map.groupBy(
    differences,
    (difference) => `${difference.a} → ${difference.b}${when(difference, reached)}`,
  );
  return [...same].map(([change, those]) => ({
    what: those.map(({ subject }) => subject).join(', '),
    change,
  }));
}

/** Prefixes of the aspects whose differences all use the same wording. */
const prefixes: Partial<Record<Difference['aspect'], string>> = {
  probe: 'probe ',
  decision: 'the model derives ',
};

/** The statements for a group of differences, the kernel's own behaviour first. */
export function statements({ differences, example }: DifferenceGroup): Statement[] {
  const reached = example.compositions;
  const of = (...aspects: Difference['aspect'][]) =>
    differences.filter(({ aspect }) => aspects.includes(aspect));
  const plain = (those: readonly Difference[]): Statement[] =>
    those.map((difference) => ({
      what: `${prefixes[difference.aspect] ?? ''}${difference.subject}`,
      change: `${difference.a} → ${difference.b}${when(difference, reached)}`,
    }));
  const findings = of('finding').map((difference): Statement => {
    const gone = difference.key.startsWith('finding/gone/');
    return {
      what: `finding ${gone ? 'gone' : 'new'}`,
      change: gone ? difference.a : difference.b,
      id: difference.subject,
    };
  });
  const kernel = [
    ...plain(of('boot')),
    ...layoutStatements(of('layout'), reached),
    ...plain(of('shared', 'register')),
    ...findings,
    ...plain(of('probe', 'variable')),
    ...plain(of('decision')),
  ];
  if (kernel.length > 0) return kernel;
  return of('model').map(({ key, subject }) => ({
    what: `only ${key.startsWith('model/gone/') ? 'A' : 'B'} departs from the model`,
    change: subject,
  }));
}

/**
 * Number of differences between the kernels, as a report lists them, one per statement; every
 * report counts this way. Departures from the model do not count.
 */
export function countDifferences(groups: readonly DifferenceGroup[]): number {
  const own = groups.filter(({ differences }) =>
    differences.some(({ aspect }) => aspect !== 'model'),
  );
  return own.reduce((sum, group) => sum + statements(group).length, 0);
}

/** The checkpoint whose composition shows a group best: the last one where its layout differs. */
export function tellingComposition({
  differences,
  example,
}: DifferenceGroup): Composition | undefined {
  const sizes = differences.filter(
    ({ aspect, key }) => aspect === 'layout' && !key.includes('/attributes/'),
  );
  const names = new Set(sizes.flatMap(({ checkpoints }) => checkpoints));
  return example.compositions.filter(({ checkpoint }) => names.has(checkpoint)).at(-1);
}

/** A step of the model's derivation, and the side that took it. */
export interface SidedStep {
  side: 'A' | 'B' | 'both';
  step: DerivationStep;
}

/** The reason in the model's words: a sentence, and the steps of each side. */
export interface Reason {
  sentence: string;
  /**
   * The steps of one function on both sides are next to each other, A before B; equal steps on both
   * sides are merged.
   */
  steps: SidedStep[];
}

const listedMismatches = 1;

/** The steps of two sides, with those of one function in pairs. */
function inPairs({ a, b }: Sides<readonly DerivationStep[]>): SidedStep[] {
  const rest = { a: [...a], b: [...b] };
  const take = (those: DerivationStep[], where: string): DerivationStep[] => {
    const index = those.findIndex((step) => step.where === where);
    return index < 0 ? [] : those.splice(index, 1);
  };
  const listed: SidedStep[] = [];
  // Alternating, so that the first steps of both sides show however few are printed.
  for (let turn = 0; rest.a.length + rest.b.length > 0; turn++) {
    const next = (turn % 2 === 0 ? rest.a[0] : rest.b[0]) ?? rest.a[0] ?? rest.b[0];
    if (!next) break;
    const [ofA] = take(rest.a, next.where);
    const [ofB] = take(rest.b, next.where);
    if (ofA && ofB && ofA.outcome === ofB.outcome && ofA.source === ofB.source)
      listed.push({ side: 'both', step: ofA });
    else {
      if (ofA) listed.push({ side: 'A', step: ofA });
      if (ofB) listed.push({ side: 'B', step: ofB });
    }
  }
  return listed;
}

/** The rule that explains a group. */
export function reasonOf(group: DifferenceGroup): Reason {
  const { kind, steps, mismatches } = explain(group);
  const listed = inPairs(steps);
  if (kind === 'rule') return { sentence: 'The model explains it by other rules:', steps: listed };
  if (kind === 'amount')
    return {
      sentence: 'The model explains it by other amounts, by the same rules:',
      steps: listed,
    };
  if (kind === 'same') {
    const none =
      "Both sides fit their predictions alike, and no step of the model's derivation is about this.";
    const rules =
      'Both sides fit their predictions alike. What the model knows of it, the same for both:';
    const both = listed.map(({ step }): SidedStep => ({ side: 'both', step }));
    return { sentence: both.length > 0 ? rules : none, steps: both };
  }
  const sides =
    (['a', 'b'] as const)
      .filter((side) => steps[side].length > 0)
      .map((side) => side.toUpperCase())
      .join(' and ') || 'One side';
  const more =
    mismatches.length > listedMismatches ? ` and ${mismatches.length - listedMismatches} more` : '';
  const ids = mismatches.slice(0, listedMismatches).join(', ') + more;
  const sentence = `${sides} departs from its prediction (${ids})`;
  return {
    sentence: listed.length > 0 ? `${sentence}. That was derived from:` : `${sentence}.`,
    steps: listed,
  };
}
