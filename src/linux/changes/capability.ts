// SPDX-License-Identifier: GPL-2.0-only
import type { Change } from './change.ts';

/** What the kernel makes of FEAT_BBM: arch/arm64/kernel/cpufeature.c and mm/mmu.c. */
export const capabilityChanges = {
  'bbml2-detected': {
    rule: 'BBML2_NOABORT is a capability, for user space alone',
    commits: [{ id: '5aa4b625762e', subject: 'arm64: Add BBM Level 2 cpu feature' }],
    since: '6.17',
    shown: 'its tables of capabilities',
    noBranch: "the Image's own tables of capabilities tell which late CPUs are refused",
    functions: ['verify_local_cpu_caps()'],
  },
  'large-with-bbm': {
    rule: 'the linear map is large on CPUs that can split it later, and repainted where one cannot',
    commits: [
      {
        id: 'a166563e7ec3',
        subject: 'arm64: mm: support large block mapping when rodata=full',
      },
      {
        id: '3df6979d222b',
        subject: 'arm64: mm: split linear mapping if BBML2 unsupported on secondary CPUs',
      },
    ],
    since: '6.18',
    shown: 'whether it has a variable linear_map_requires_bbml2 or linear_map_requires_bbml3',
    trait: { name: 'bbml', values: ['bbml2', 'bbml3'] },
    functions: [
      'force_pte_mapping()',
      'split_kernel_leaf_mapping()',
      'linear_map_maybe_split_to_ptes()',
    ],
    issues: ['mixed-cpus-text-alias-writable', 'realm-contiguous-group', 'realm-late-rsi'],
  },
  'split-asks-requires': {
    rule: 'split_kernel_leaf_mapping() asks linear_map_requires_bbml*, and the boot CPU may split',
    commits: [
      {
        id: 'f12b435de2f2',
        subject: 'arm64: mm: Fix rodata=full block mapping support for realm guests',
      },
    ],
    since: '7.1',
    // It was sent to 6.18.y in May 2026; the sources at hand do not show which update took it.
    stables: ['7.0.13'],
    shown: 'whether it has the variable page_alloc_available',
    trait: { name: 'splitAsksRequires', values: [true] },
    functions: ['split_kernel_leaf_mapping()'],
    issues: ['realm-early-share'],
  },
  bbml3: {
    rule: 'the capability is BBML3: the ID register counts beside the list, which is longer',
    commits: [
      { id: 'a7ac60414475', subject: 'arm64: cpufeature: Extend bbml2_noabort support list' },
      { id: 'e4fa24624308', subject: 'arm64: sysreg: Add BBM_3' },
      { id: '94104e3cfa80', subject: 'arm64: cpufeature: Rename BBML2_NOABORT as BBML3' },
      {
        id: '879aca5119cd',
        subject: 'arm64: cpufeature: Detect BBML3 based on ID_AA64MMFR2_EL1.BBM',
      },
      // Cited for the same four patches on top of 7.2-rc7, which is not the branch that was merged.
      // The sources at hand do not give their subjects.
      { id: 'f8d0751426dd' },
      { id: '267b481d0b94' },
      { id: '06468bc3c936' },
      { id: '4955df16ff99' },
    ],
    since: '7.3',
    shown: 'whether its variable is linear_map_requires_bbml3',
    trait: { name: 'bbml', values: ['bbml3'] },
    functions: ['cpu_supports_bbml3()', 'has_bbml3()'],
  },
} as const satisfies Record<string, Change>;
