import type { DerivationStep } from '../model/types.ts';
import type { DifferenceGroup, Sides } from './types.ts';

/** A step without what depends on the place: numbers, and the name that a symbol has in one release. */
function meaning({ where, outcome }: DerivationStep): string {
  const plain = (text: string): string =>
    text.replaceAll(/bbml2_noabort|bbml[23]/g, 'bbml').replaceAll(/0x[0-9a-f]+|\b\d+\b/g, '#');
  return `${plain(where)}: ${plain(outcome)}`;
}

/** Steps of two derivations that only one side has, in their order. */
export function differingSteps({ a, b }: Sides<readonly DerivationStep[]>): Sides<DerivationStep[]> {
  const only = (those: readonly DerivationStep[], others: readonly DerivationStep[]): DerivationStep[] => {
    const known = new Set(others.map(meaning));
    return [...new Map(those.map((step) => [meaning(step), step])).entries()]
      .filter(([key]) => !known.has(key))
      .map(([, step]) => step);
  };
  return { a: only(a, b), b: only(b, a) };
}

const mapping =
  /^(map_mem|force_pte_mapping|can_set_direct_map|cpu_supports|linear_map_requires|linear_map_maybe_split|arm64_rsi_init)/;

/** Kernel functions whose rules can make a difference of some kind. */
const rules: { of: RegExp; where: RegExp }[] = [
  { of: /^layout\/.*\/attributes\/.*dirty/, where: /^PAGE_KERNEL/ },
  { of: /^layout\/kernel text/, where: /^(map_mem|mark_linear_text_alias_ro|linear_map_maybe_split)/ },
  {
    of: /^layout\/kernel data/,
    where: /^(map_mem|mark_rodata_ro|mark_linear_data_alias_valid|linear_map_maybe_split)/,
  },
  { of: /^layout\/KFENCE/, where: /^(map_mem|kfence|parse_kfence)/ },
  { of: /^layout\//, where: mapping },
  { of: /^shared\//, where: /^(realm_set_memory|arm64_rsi_init|linear_map_requires|split_kernel_leaf)/ },
  { of: /^(variable|decision)\/(linear_map|force|can|boot|system|realm|rsi)/, where: mapping },
  { of: /^(variable|decision)\/rodata/, where: /rodata/ },
  { of: /^(variable|decision)\/kfence/, where: /kfence/ },
  {
    of: /^probe\//,
    where: /^(can_set_direct_map|force_pte_mapping|arm64_rsi_init|linear_map_requires|set_direct_map)/,
  },
  {
    of: /^finding\/[^/]+\/(splat\/decrypt|invariant\/ripas|invariant\/sound-tables)/,
    where: /^(realm_set_memory|arm64_rsi_init|linear_map_requires|set_memory_valid|split_kernel_leaf_mapping)/,
  },
  { of: /^finding\/[^/]+\/invariant\/kernel-text/, where: /^(mark_linear_text_alias_ro|linear_map_maybe_split)/ },
  { of: /^finding\/[^/]+\/invariant\/direct-map/, where: mapping },
  { of: /^finding\//, where: /^(realm_set_memory|map_mem|linear_map)/ },
];

/** Why a difference is there, as far as the model knows. */
export interface Explanation {
  /** `rule`: the model derives something else for either side; `departs`: it derives the same, but a side does not follow it; `none`: neither. */
  kind: 'rule' | 'departs' | 'none';
  /** The steps of each side; with `departs`, those that the departing side does not follow. */
  steps: Sides<DerivationStep[]>;
  /** With `departs`, the findings that say so. */
  mismatches: string[];
}

/**
 * Explains differences that come together by the kernel functions that decide what they are about. A kernel whose logic the model does not know
 * departs from its prediction where the other one follows it: then the rule that it departs from is the explanation.
 */
export function explain({ differences, example }: DifferenceGroup): Explanation {
  const { derivation } = example;
  const patterns = differences.flatMap(({ key }) => rules.find(({ of }) => of.test(key))?.where ?? []);
  const pick = (those: readonly DerivationStep[]) =>
    those.filter(({ where }) => patterns.some((pattern) => pattern.test(where)));
  const differing = differingSteps(derivation);
  const steps = { a: pick(differing.a), b: pick(differing.b) };
  if (steps.a.length + steps.b.length > 0) return { kind: 'rule', steps, mismatches: [] };
  // The mismatches may show in more scenarios than these differences do: the example has them all.
  const mismatches = example.differences.filter(({ aspect }) => aspect === 'model');
  const departs = (word: string) => mismatches.some(({ key }) => key.startsWith(`model/${word}/`));
  return {
    kind: mismatches.length > 0 ? 'departs' : 'none',
    steps: { a: departs('gone') ? pick(derivation.a) : [], b: departs('new') ? pick(derivation.b) : [] },
    mismatches: mismatches.map(({ subject }) => subject),
  };
}
