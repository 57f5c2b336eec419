// SPDX-License-Identifier: GPL-2.0-only
import t from 'tap';
import type { KernelTraits } from '../../../../../../src/linux/kernel-traits.ts';
import { PTE_AF, PTE_PRESENT_INVALID, PTE_VALID } from '../../../../../../src/linux/pgprot.ts';
import { pmd_leaf } from '../../../../../../src/model/arch/arm64/include/asm/pgtable.ts';

t.test('a block that became invalid is a leaf since 15bfba1ad77f alone', async (t) => {
  const isLeaf = (presentInvalid: boolean, attributes: bigint) =>
    pmd_leaf({ presentInvalid } as KernelTraits, attributes);
  for (const presentInvalid of [false, true])
    t.ok(isLeaf(presentInvalid, PTE_AF | PTE_VALID), 'a valid one is one in any kernel');
  t.ok(isLeaf(true, PTE_AF | PTE_PRESENT_INVALID));
  t.notOk(isLeaf(false, PTE_AF | PTE_PRESENT_INVALID), 'pmd_sect() looks at PTE_VALID');
});
