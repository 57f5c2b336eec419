// SPDX-License-Identifier: GPL-2.0-only
import type { Change } from './change.ts';

/** The bits that leaves carry, and how they change later: pgtable-prot.h, pageattr.c and mmu.c. */
export const permissionChanges = {
  'kernel-pages-dirty': {
    rule: 'PAGE_KERNEL and its like carry PTE_DIRTY',
    commits: [
      {
        id: 'c25c4aa3f79a',
        subject: 'arm64: mm: Add PTE_DIRTY back to PAGE_KERNEL* to fix kexec/hibernation',
      },
    ],
    since: '7.0',
    stables: ['6.12.78', '6.19.14'],
    taken: '6.19',
    shown: 'the bits of PAGE_KERNEL_RO that mark_linear_text_alias_ro() loads',
    trait: { name: 'kernelDirty', values: [true] },
    functions: ['PAGE_KERNEL', 'mark_linear_text_alias_ro()'],
  },
  'invalid-stays-present': {
    rule: 'what becomes invalid keeps PTE_PRESENT_INVALID, blocks too',
    commits: [
      {
        id: '15bfba1ad77f',
        subject: 'arm64: mm: Handle invalid large leaf mappings correctly',
      },
    ],
    since: '7.1',
    stables: ['6.19.14', '7.0.13'],
    taken: '6.19',
    shown: 'the mask that set_direct_map_invalid_noflush() loads',
    trait: { name: 'presentInvalid', values: [true] },
    functions: ['set_memory_valid()', '__set_memory_enc_dec()', 'pmd_leaf()'],
    issues: [
      'kfence-kpti-global',
      'pagealloc-kpti-global',
      'realm-bounce-oops',
      'realm-contiguous-group',
      'realm-lost-shared-blocks',
    ],
  },
  'alias-of-the-part': {
    rule: 'set_memory_ro() on a part of a vmalloc area changes the alias of that part alone',
    commits: [
      {
        id: '37cb0aab9068',
        subject: 'arm64: mm: make linear mapping permission update more robust for patial range',
      },
    ],
    since: '6.19',
    trait: { name: 'aliasOfWholeArea', values: [false] },
    functions: ['change_memory_common()'],
  },
  'data-alias-read-only': {
    rule: 'mark_rodata_ro() makes the linear alias of [__init_end, __bss_stop) read-only',
    commits: [
      {
        id: 'f2ba877402e5',
        subject: 'arm64: mm: Map the kernel data/bss read-only in the linear map',
      },
      {
        id: '36fa5ffa6034',
        subject: 'arm64: mm: Defer read-only remap of data/bss linear alias',
      },
    ],
    since: '7.2',
    until: '7.3',
    undoneBy: [
      {
        id: 'fb0f3ef5601a',
        subject: 'arm64: mm: Unmap kernel data/bss entirely from the linear map',
      },
    ],
    shown: 'whether mark_rodata_ro() makes it invalid; where it does not, its release',
    trait: { name: 'dataAlias', values: ['readOnly'] },
    functions: ['mark_rodata_ro()'],
  },
  'data-alias-invalid': {
    rule: 'mark_rodata_ro() makes the linear alias of [__init_end, __bss_stop) invalid',
    commits: [
      {
        id: 'fb0f3ef5601a',
        subject: 'arm64: mm: Unmap kernel data/bss entirely from the linear map',
      },
    ],
    since: '7.3',
    shown: 'whether mark_rodata_ro() calls mark_linear_data_alias_valid() or set_memory_valid()',
    trait: { name: 'dataAlias', values: ['invalid'] },
    functions: ['mark_rodata_ro()', 'mark_linear_data_alias_valid()'],
  },
} as const satisfies Record<string, Change>;
