// SPDX-License-Identifier: GPL-2.0-only
import type { DerivationStep } from '../model/types.ts';
import type { DifferenceGroup, Sides } from './types.ts';

/**
 * A step without addresses, without numbers unless amounts count, and without the name that a
 * symbol has in one release.
 */
function meaning({ where, outcome }: DerivationStep, amountsCount: boolean): string {
  const numbers = amountsCount ? /0x[0-9a-f]+/g : /0x[0-9a-f]+|\b\d+\b/g;
  const plain = (text: string): string =>
    text.replaceAll(/bbml2_noabort|bbml[23]/g, 'bbml').replaceAll(numbers, '#');
  return `${plain(where)}: ${plain(outcome)}`;
}

/** Steps that only one of two derivations has, in order, each once. */
function differingSteps(
  { a, b }: Sides<readonly DerivationStep[]>,
  amountsCount = false,
): Sides<DerivationStep[]> {
  const textOf = (step: DerivationStep) => meaning(step, amountsCount);
  const only = (
    those: readonly DerivationStep[],
    others: readonly DerivationStep[],
  ): DerivationStep[] => {
    const known = new Set(others.map(textOf));
    return [...new Map(those.map((step) => [textOf(step), step])).entries()]
      .filter(([key]) => !known.has(key))
      .map(([, step]) => step);
  };
  return { a: only(a, b), b: only(b, a) };
}

const mapping = /^(force_pte_mapping|map_mem|arm64_rsi_init|linear_map_maybe_split|cpu_supports)/;
const requires = /^(linear_map_requires|linear_map_maybe_split|arm64_rsi_init|cpu_supports)/;

/**
 * Kernel functions whose rules can cause a kind of difference; the first entry that matches counts.
 */
const rules: { of: RegExp; where: RegExp }[] = [
  { of: /^layout\/.*\/attributes\/.*dirty/, where: /^PAGE_KERNEL/ },
  {
    of: /^layout\/kernel text.*\/attributes/,
    where: /^(mark_linear_text_alias_ro|linear_map_maybe_split)/,
  },
  {
    of: /^layout\/kernel data.*\/attributes/,
    where: /^(mark_rodata_ro|mark_linear_data_alias_valid)/,
  },
  { of: /^layout\/KFENCE/, where: /^(map_mem|kfence|parse_kfence)/ },
  { of: /^layout\//, where: mapping },
  { of: /^shared\//, where: /^(realm_set_memory|arm64_rsi_init|split_kernel_leaf)/ },
  { of: /^variable\/rsi_present/, where: /^arm64_rsi_init/ },
  { of: /^(variable|decision)\/linear_?map_?requires/i, where: requires },
  { of: /^decision\/(force|can|boot|system|realm)/, where: mapping },
  { of: /^(variable|decision)\/rodata/, where: /rodata/ },
  { of: /^(variable|decision)\/kfence/, where: /kfence/ },
  { of: /^probe\//, where: /^(can_set_direct_map|arm64_rsi_init|linear_map_requires)/ },
  {
    of: /^finding\/[^/]+\/(splat\/decrypt|invariant\/ripas|invariant\/sound-tables)/,
    where: /^(realm_set_memory|arm64_rsi_init|split_kernel_leaf_mapping|set_memory_valid)/,
  },
  {
    of: /^finding\/[^/]+\/invariant\/kernel-text/,
    where: /^(mark_linear_text_alias_ro|linear_map_maybe_split)/,
  },
  { of: /^finding\/[^/]+\/invariant\/direct-map/, where: mapping },
  { of: /^finding\//, where: /^(realm_set_memory|split_kernel_leaf_mapping|map_mem)/ },
];

/** Why there is a difference, as far as the model knows. */
interface Explanation {
  /**
   * `departs`: one side does not follow its prediction and the other does, so the rules that it
   * does not follow are the explanation; `rule`: the model derives something else for each side;
   * `amount`: it derives the same with other amounts; `same`: neither, and the steps are those that
   * both sides have.
   */
  kind: 'departs' | 'rule' | 'amount' | 'same';
  steps: Sides<DerivationStep[]>;
  /** With `departs`, the findings that show it. */
  mismatches: string[];
}

/**
 * The steps that match the patterns, in turns: one for each pattern, then a second one for each, so
 * that the first few steps cover everything. For one pattern, steps that match most of the others
 * come first.
 */
function inTurns(patterns: readonly RegExp[], steps: readonly DerivationStep[]): DerivationStep[] {
  const weight = ({ where }: DerivationStep) =>
    patterns.filter((pattern) => pattern.test(where)).length;
  const queues = patterns.map((pattern) =>
    steps
      .filter(({ where }) => pattern.test(where))
      .sort((left, right) => weight(right) - weight(left)),
  );
  const taken = new Set<DerivationStep>();
  while (queues.some((queue) => queue.length > 0)) {
    for (const queue of queues) {
      const next = queue.find((step) => !taken.has(step));
      if (next) taken.add(next);
      queue.splice(0, next ? queue.indexOf(next) + 1 : queue.length);
    }
  }
  return [...taken];
}

/**
 * Explains differences that occur together by the kernel functions that decide about their subject.
 */
export function explain({ differences, example }: DifferenceGroup): Explanation {
  const { derivation } = example;
  const patterns = [
    ...new Set(differences.flatMap(({ key }) => rules.find(({ of }) => of.test(key))?.where ?? [])),
  ];
  const pick = (those: readonly DerivationStep[]) => inTurns(patterns, those);
  // The mismatches may show in more scenarios than these differences; the example has all of them.
  const mismatches = example.differences.filter(({ aspect }) => aspect === 'model');
  if (mismatches.length > 0) {
    const departs = (word: string) =>
      mismatches.some(({ key }) => key.startsWith(`model/${word}/`));
    const steps = {
      a: departs('gone') ? pick(derivation.a) : [],
      b: departs('new') ? pick(derivation.b) : [],
    };
    return { kind: 'departs', steps, mismatches: mismatches.map(({ subject }) => subject) };
  }
  const differing = (amountsCount: boolean) => {
    const { a, b } = differingSteps(derivation, amountsCount);
    return { a: pick(a), b: pick(b) };
  };
  const isFound = ({ a, b }: Sides<DerivationStep[]>) => a.length + b.length > 0;
  const rule = differing(false);
  if (isFound(rule)) return { kind: 'rule', steps: rule, mismatches: [] };
  const amount = differing(true);
  if (isFound(amount) && differences.some(({ aspect }) => aspect === 'shared'))
    return { kind: 'amount', steps: amount, mismatches: [] };
  const once = differingSteps({ a: derivation.a, b: [] }, true).a;
  return { kind: 'same', steps: { a: pick(once), b: [] }, mismatches: [] };
}
