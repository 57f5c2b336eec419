// SPDX-License-Identifier: GPL-2.0-only
import { type Evidence, isBefore } from '../evidence/capture.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import type { SymbolTable } from '../linux/symbol-table.ts';
import type { Prediction } from '../model/types.ts';
import { asksForCpus } from '../scenario/types.ts';

/**
 * Whether a prediction depends on requests that the harness records at a kernel function: without
 * them nothing can be said about the tables.
 */
function restsOn(
  what: string,
  { decisions }: Prediction,
  { presentInvalid }: Pick<KernelTraits, 'presentInvalid'>,
): boolean {
  switch (what) {
    case 'splits':
      return decisions.linearMapRequiresBbml === true || decisions.bootCpuBbml;
    case 'sharing':
      return decisions.realm;
    case 'kpti':
      // Since 15bfba1ad77f a page has nG whenever it becomes valid, and never while it is not.
      return decisions.debugPagealloc && decisions.kpti && !presentInvalid;
    default:
      return false;
  }
}

/**
 * A prediction without what cannot be compared on this kernel: variables that it does not have, and
 * checkpoints whose tables depend on requests that could not be recorded.
 * @returns the prediction, and what was left out, each as the end of a sentence
 */
export function onlyWhatIsKnown(
  prediction: Prediction,
  { unseen = [] }: Pick<Evidence, 'unseen'>,
  {
    symbols,
    traits,
  }: {
    symbols: Pick<SymbolTable, 'has'>;
    traits: Pick<KernelTraits, 'presentInvalid'>;
  },
): { prediction: Prediction; notKnown: string[] } {
  const isBlind = (what: string): boolean => restsOn(what, prediction, traits);
  const notKnown = new Set(
    unseen
      .filter(({ what }) => what !== 'kpti' || isBlind(what))
      .map(({ what, why }) => `${whatWords[what]}: ${why}`),
  );
  const blind = unseen.find(({ what }) => isBlind(what));
  if (prediction.lateCpusUnknown) {
    notKnown.add(
      'whether it lets in a CPU that comes late: it has no arm64_features[] of a shape that is known',
    );
  }
  const checkpoints: Prediction['checkpoints'] = {};
  for (const [name, predicted] of Object.entries(prediction.checkpoints)) {
    const checkpoint = name as keyof Prediction['checkpoints'];
    if (blind && isBefore('paging_init', checkpoint)) {
      notKnown.add(
        `its linear map behind paging_init(): ${whatWords[blind.what]} would have to be recorded`,
      );
      continue;
    }
    const variables = Object.entries(predicted.variables).filter(([variable]) => {
      if (symbols.has(variable)) return true;
      notKnown.add(`the value of ${variable}: it has no such symbol`);
      return false;
    });
    checkpoints[checkpoint] = { ...predicted, variables: Object.fromEntries(variables) };
  }
  // The other probes do not depend on which CPUs the kernel accepts.
  const isCpus = (probe: string): boolean => asksForCpus([probe]);
  const probes = prediction.probes.filter(
    ({ probe }) => !(prediction.lateCpusUnknown && isCpus(probe)),
  );
  return { prediction: { ...prediction, checkpoints, probes }, notKnown: [...notKnown] };
}

/** What may not have been observed, as the subject of a sentence. */
const whatWords: Record<NonNullable<Evidence['unseen']>[number]['what'], string> = {
  paging_init: 'its tables behind paging_init()',
  before_split: 'its tables before linear_map_maybe_split_to_ptes()',
  after_split: 'its tables behind linear_map_maybe_split_to_ptes()',
  smp_cpus_done: 'its tables behind smp_cpus_done()',
  free_initmem: 'its tables at free_initmem()',
  init: 'its tables when init runs',
  live: 'its tables in operation',
  splits: 'what split_kernel_leaf_mapping() was asked for',
  sharing: 'what memory the realm shared',
  log: 'what it logged up to there',
  recording: 'what happens to its tables between the checkpoints',
  kpti: 'which pages were free when KPTI rewrote the tables',
};
