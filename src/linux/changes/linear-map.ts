// SPDX-License-Identifier: GPL-2.0-only
import type { Change } from './change.ts';

/** How the linear map is built: map_mem() and what it calls, arch/arm64/mm/mmu.c and init.c. */
export const linearMapChanges = {
  'kernel-alias-first': {
    rule: "map_mem() maps the KFENCE pool and the kernel's two aliases before all memory",
    commits: [
      {
        id: 'd672a4b72c95',
        subject: "arm64: mm: Don't abuse memblock NOMAP to check for overlaps",
      },
      {
        id: 'dfd73e574d38',
        subject: 'arm64: kfence: Avoid NOMAP tricks when mapping the early pool',
      },
    ],
    since: '7.2',
    trait: { name: 'mapsKernelFirst', values: [true] },
    functions: ['map_mem()', 'arm64_kfence_map_pool()'],
  },
  'existing-tables-kept': {
    rule: 'a block is not tried over a table, and a block that is refused is noticed',
    commits: [
      {
        id: 'a64293e993f6',
        subject: 'arm64: mm: Preserve existing table mappings when mapping DRAM',
      },
      {
        id: '8dd640d9233d',
        subject: 'arm64: mm: Check for pud_/pmd_set_huge() failures on kernel mappings',
      },
    ],
    since: '7.2',
    trait: { name: 'keepsTables', values: [true] },
    functions: ['init_pmd()', 'alloc_init_pud()'],
    issues: ['mixed-cpus-text-alias-writable'],
  },
  'single-leaves-kept': {
    rule: 'a range with a valid leaf that is not contiguous is not mapped contiguously',
    commits: [
      {
        id: 'ecda73ae92ca',
        subject: 'arm64: mm: Preserve non-contiguous descriptors when mapping DRAM',
      },
    ],
    since: '7.2',
    trait: { name: 'keepsSingleLeaves', values: [true] },
    functions: ['alloc_init_cont_pte()', 'alloc_init_cont_pmd()'],
  },
  'contiguous-may-change': {
    rule: 'a contiguous leaf may be written again, as long as it stays contiguous',
    commits: [
      {
        id: '05c5c31e9d8d',
        subject: 'arm64: mm: Permit contiguous descriptors to be manipulated',
      },
    ],
    since: '7.2',
    trait: { name: 'contiguousMayChange', values: [true] },
    functions: ['pgattr_change_is_safe()'],
  },
  'contiguous-protection': {
    rule: 'update_mapping_prot() may use contiguous leaves',
    commits: [
      {
        id: '28becb2c1d74',
        subject: 'arm64: mm: Permit contiguous attribute for preliminary mappings',
      },
    ],
    since: '7.2',
    trait: { name: 'protectsContiguously', values: [true] },
    functions: ['update_mapping_prot()'],
  },
  'whole-pages-only': {
    rule: 'map_mem() leaves out a page of which a part is no-map memory',
    commits: [
      {
        id: '7ace06a01efa',
        subject: 'arm64: mm: fix accidental linear mapping of no-map reserved memory',
      },
    ],
    since: '7.3',
    stables: ['6.12.117'],
    shown: 'whether map_mem(), mostly a part of paging_init(), rounds twice to a page',
    trait: { name: 'mapsWholePagesOnly', values: [true] },
    functions: ['map_mem()'],
  },
  'alias-from-text': {
    rule: "the kernel's alias that is mapped apart begins at _text, not at _stext",
    commits: [
      {
        id: '5973a62efa34',
        subject: 'arm64: map [_text, _stext) virtual address range non-executable+read-only',
      },
    ],
    since: '6.18',
    stables: ['6.12.54', '6.17.13'],
    taken: '6.17',
    shown: 'the address that mark_linear_text_alias_ro() loads',
    trait: { name: 'aliasStart', values: ['_text'] },
    functions: ['map_mem()', 'mark_linear_text_alias_ro()'],
    issues: ['text-head-not-mapped'],
  },
  'table-access-flag': {
    rule: 'table descriptors carry the access flag',
    commits: [{ id: 'efe72541355d', subject: 'arm64: Add support for FEAT_HAFT' }],
    since: '6.13',
    trait: { name: 'tableAccessFlag', values: [true] },
    functions: ['alloc_init_pud()', 'init_clear_pgtable()'],
  },
  'linear-map-not-random': {
    rule: 'KASLR leaves alone where the linear map begins',
    commits: [{ id: '1db780bafa4c', subject: 'arm64/mm: Remove randomization of the linear map' }],
    since: '6.16',
    shown: 'whether it has the variable memstart_offset_seed',
    needs: 'randomizeBase',
    trait: { name: 'randomLinearMap', values: [false] },
    functions: ['arm64_memblock_init()'],
  },
  'kpti-with-mmu-on': {
    rule: 'kpti_install_ng_mappings() rewrites the tables with the MMU on',
    commits: [
      { id: '47546a1912fc', subject: 'arm64: mm: install KPTI nG mappings with MMU enabled' },
    ],
    since: '6.0',
    noBranch: 'every kernel that the model covers has it',
    functions: ['kpti_install_ng_mappings()'],
  },
} as const satisfies Record<string, Change>;
