// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { KernelTraits } from '../../src/linux/kernel-traits.ts';
import { deriveTraits } from '../../src/model/derive-traits.ts';

/** What is said of a kernel with these traits, by function. */
function said(traits: Partial<KernelTraits>): Record<string, string> {
  const outcomes: Record<string, string> = {};
  deriveTraits(traits as KernelTraits, (where, _source, outcome) => {
    outcomes[where] = outcome;
  });
  return outcomes;
}

t.test('the derivation begins with what the kernel does to any leaf', async (t) => {
  const of618 = said({ bbml: 'bbml2', kernelDirty: false, presentInvalid: false });
  t.match(of618, {
    PAGE_KERNEL: /^does not carry PTE_DIRTY$/,
    'set_memory_valid()': /keeps no PTE_PRESENT_INVALID: a block is lost to later changes$/,
  });
  const of619 = said({ bbml: 'bbml2', kernelDirty: true, presentInvalid: true });
  t.match(of619, {
    PAGE_KERNEL: /^carries PTE_DIRTY$/,
    'set_memory_valid()': /keeps PTE_PRESENT_INVALID$/,
  });
});

t.test('a kernel that can split a leaf says what it asks before', async (t) => {
  const split = (traits: Partial<KernelTraits>) => said(traits)['split_kernel_leaf_mapping()'];
  t.equal(split({ bbml: 'none' }), undefined, 'before 6.18 there is no such function');
  t.match(
    split({ bbml: 'bbml2', requiresSymbol: 'linear_map_requires_bbml2' }),
    /^asks split_leaf_mapping_possible\(\)/,
  );
  const splitAsksRequires = true;
  t.match(
    split({ bbml: 'bbml3', requiresSymbol: 'linear_map_requires_bbml3', splitAsksRequires }),
    /^asks linear_map_requires_bbml3, and splits before/,
  );
  t.match(
    split({ bbml: 'bbml3', requiresSymbol: undefined, splitAsksRequires }),
    /^asks the requires flag, and/,
    'the Image does not show its name',
  );
});
