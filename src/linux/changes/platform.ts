// SPDX-License-Identifier: GPL-2.0-only
import type { Change } from './change.ts';

/** Realms, kernel parameters, and the format of the Image itself. */
export const platformChanges = {
  'knows-realms': {
    rule: 'the kernel detects a realm behind paging_init(), and can_set_direct_map() is true there',
    commits: [
      { id: 'c077711f718b', subject: 'arm64: Detect if in a realm and set RIPAS RAM' },
      { id: '42be24a4178f', subject: 'arm64: Enable memory encrypt for Realms' },
    ],
    since: '6.13',
    shown: 'whether it has arm64_rsi_init() or rsi_present',
    trait: { name: 'knowsRealms', values: [true] },
    functions: ['arm64_rsi_init()', 'can_set_direct_map()'],
    issues: ['realm-late-rsi'],
  },
  'small-swiotlb-in-realms': {
    rule: 'arch_mm_preinit() sizes swiotlb in a realm as anywhere: 1 MiB for every GiB of RAM',
    commits: [
      {
        id: '442d366cc1aa',
        subject: 'arm64/mm: Simplify SWIOTLB setup in arch_mm_preinit()',
      },
    ],
    since: '7.3',
    noBranch: 'which memory a realm asks to share is a boot fact',
    functions: ['arch_mm_preinit()'],
    issues: ['realm-small-swiotlb'],
  },
  'dma-address-by-attribute': {
    rule: 'dma_direct_map_phys() takes the shared or the protected address by DMA_ATTR_CC_SHARED',
    commits: [
      {
        id: '30c5e45ee2c5',
        subject: 'dma-direct: make dma_direct_map_phys() honor DMA_ATTR_CC_SHARED',
      },
    ],
    since: '7.3',
    noBranch: 'the model says nothing of the addresses that a device is given',
    functions: ['dma_direct_map_phys()'],
  },
  'rodata-on-is-full': {
    rule: 'rodata=on is the full protection, rodata=noalias what on was; rodata=full is refused',
    commits: [
      { id: 'c0f303d7d472', subject: "arm64: mm: Rework the 'rodata=' options" },
      {
        id: 'bfbbb0d3215f',
        subject: 'arm64/Kconfig: Remove CONFIG_RODATA_FULL_DEFAULT_ENABLED',
      },
    ],
    since: '6.18',
    trait: { name: 'rodataFullSpelling', values: ['on'] },
    functions: ['arch_parse_debug_rodata()'],
  },
  'numbers-saturate': {
    rule: 'a parameter that 64 bits do not hold is the largest number, not what is left of it',
    commits: [
      // Both have different ids in each tree that was searched.
      { subject: 'lib: fix _parse_integer_limit() to handle overflow' },
      { subject: 'lib: fix memparse() to handle overflow' },
    ],
    since: '7.2',
    functions: ['_parse_integer_limit()', 'memparse()'],
  },
  'enabled-is-true': {
    rule: 'kstrtobool() takes what begins with e (enabled) or d (disabled)',
    commits: [
      {
        id: 'ae5b3500856f',
        subject: 'kstrtox: add support for enabled and disabled in kstrtobool()',
      },
    ],
    since: '6.14',
    functions: ['kstrtobool()'],
  },
  'crashkernel-cma': {
    rule: 'crashkernel=SIZE,cma is a form of its own',
    commits: [
      {
        id: '35c18f2933c5',
        subject: 'Add a new optional ",cma" suffix to the crashkernel= command line option',
      },
    ],
    since: '6.17',
    functions: ['get_last_crashkernel()'],
  },
  'mitigations-have-vectors': {
    rule: 'a list of attack vectors may follow the word in mitigations=',
    commits: [{ id: '19c24f7ee39a', subject: 'cpu: Define attack vectors' }],
    since: '6.17',
    functions: ['mitigations_parse_cmdline()'],
  },
  'kallsyms-long-names': {
    rule: 'the length of a symbol of more than 127 tokens takes two bytes',
    commits: [{ id: '73bbb94466fd', subject: 'kallsyms: support "big" kernel symbols' }],
    since: '6.1',
    noBranch: 'every kernel that the model covers has it',
    functions: ['scripts/kallsyms.c'],
  },
  'kallsyms-order': {
    rule: 'the tables of kallsyms begin with the number of symbols, and their names',
    commits: [{ id: '404bad70fcf7', subject: 'scripts/kallsyms: change the output order' }],
    since: '6.4',
    noBranch: 'every kernel that the model covers has it',
    functions: ['scripts/kallsyms.c'],
  },
  'kallsyms-no-base': {
    rule: 'an offset of kallsyms counts from its own place, not from a base',
    commits: [{ id: 'a081b5789255', subject: 'kallsyms: Get rid of kallsyms relative base' }],
    since: '7.0',
    shown: 'whether the first offset of its table is negative',
    noBranch: 'it is read from the table itself',
    functions: ['kallsyms_sym_address()'],
  },
} as const satisfies Record<string, Change>;
