// SPDX-License-Identifier: GPL-2.0-only
import { inFile, type Mutation } from './mutation.ts';

/** What the linear map becomes: how it is made, split and changed. */
export const mapMutations: readonly Mutation[] = [
  ...inFile('arch/arm64/mm/mmu.ts', [
    [
      'if (decisions.forcePteMapping) flags',
      'if (!decisions.forcePteMapping) flags',
      'force_pte_mapping() decides on blocks',
    ],
    ['let flags = NO_EXEC_MAPPINGS', 'let flags = 0', 'tables of the linear map are PXN'],
    [
      'sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL, NO_CONT_MAPPINGS',
      'sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL, 0',
      'the old alias is never contiguous',
    ],
    [
      'sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL, NO_CONT',
      'sections.aliasStart, sections.initBegin, pgprot_tagged(prot.PAGE_KERNEL), NO_CONT',
      'the old alias is not tagged',
    ],
    [
      'const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS;',
      'const pages = NO_CONT_MAPPINGS;',
      'the old KFENCE pool is mapped with pages',
    ],
    [
      'const pages = NO_BLOCK_MAPPINGS | NO_CONT_MAPPINGS | NO_EXEC_MAPPINGS;',
      'const pages = NO_EXEC_MAPPINGS;',
      'the new KFENCE pool is mapped with pages',
    ],
    [
      'sections.initEnd, sections.bssStop, prot, flags',
      'sections.initEnd, sections.initEnd, prot, flags',
      'the data alias is mapped apart',
    ],
    ['if (traits.mapsKernelFirst)', 'if (!traits.mapsKernelFirst)', '7.2 maps the aliases first'],
    [
      'if (!mapsWholePagesOnly) return memory;',
      'return memory;',
      'a page that no-map memory is a part of is left out since 7.3',
    ],
    [
      'memory = without(memory, { start: sections.aliasStart',
      'memory = without(memory, { start: sections.initBegin',
      'the old kernel alias is a hole for memory',
    ],
    [
      'sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL_RO',
      'sections.aliasStart, sections.initBegin, prot.PAGE_KERNEL',
      'the text alias becomes read-only',
    ],
    [
      'sections.initEnd, sections.bssStop, prot.PAGE_KERNEL_RO',
      'sections.initEnd, sections.bssStop, prot.PAGE_KERNEL',
      '7.2 makes the data alias read-only',
    ],
    [
      'update_range_prot(state, start, end, makeInvalid(traits, prot));',
      '',
      '7.3 makes the data alias invalid',
    ],
    ['if (!decisions.rodataEnabled ||', 'if (', 'rodata=off leaves the data alias alone'],
  ]),
  ...inFile('arch/arm64/mm/mmu-create.ts', [
    ['TABLE_TYPE | TABLE_UXN', 'TABLE_TYPE', 'tables are UXN'],
    [
      'traits.tableAccessFlag ? TABLE_AF : 0n',
      'traits.tableAccessFlag ? 0n : TABLE_AF',
      'tables carry AF since 6.13',
    ],
    [
      'if (entry === TABLE) return true;',
      'if (entry === TABLE) continue;',
      'a table keeps its group from being contiguous',
    ],
    [
      'return !(traits.keepsSingleLeaves && rangeHasValidNoncont',
      'return !(!traits.keepsSingleLeaves && rangeHasValidNoncont',
      'single pages keep their group from being contiguous',
    ],
    [
      'return !(traits.keepsTables && entry === TABLE)',
      'return true',
      'a block is not tried over a table since 7.2',
    ],
    ['  if (entry === TABLE) return;\n', '', 'a block is refused over a table, in silence'],
    ['attributes = prot & ~PMD_TABLE_BIT', 'attributes = prot', 'a block is no page'],
    [
      'map.geometry.pudSectSupported && mayUseBlock',
      'mayUseBlock',
      '1 GiB blocks exist with 4K pages only',
    ],
    [
      '      initContPmds(request, table, addr, next, prot);\n      continue;',
      '      initContPmds(request, table, addr, end, prot);\n      return;',
      'with two levels no group of PMDs is contiguous',
    ],
    [
      'if (isNormal(old) && isNormal(next)) mask |= PTE_ATTRINDX_MASK;',
      '',
      'Normal and Normal-Tagged may change into each other',
    ],
    [
      'if (!traits.contiguousMayChange &&',
      'if (traits.contiguousMayChange &&',
      'contiguous leaves may change since 7.2',
    ],
  ]),
  ...inFile('arch/arm64/include/asm/pgtable-prot.ts', [
    ['decisions.useNgMappings ? PTE_NG : 0n', '0n', 'KPTI makes mappings non-global'],
    ['if (!decisions.lpa2) normal', 'normal', 'no shareability bits with LPA2'],
    ['if (traits.kernelDirty)', 'if (!traits.kernelDirty)', 'PTE_DIRTY by c25c4aa3f79a'],
    ['(normal & ~PTE_WRITE) | PTE_RDONLY', 'normal | PTE_RDONLY', 'read-only is not writable'],
    ['PTE_ATTRINDX(MT_NORMAL_TAGGED);', 'PTE_ATTRINDX(MT_NORMAL);', 'the linear map is tagged'],
  ]),
  ...inFile('mm/kfence.ts', [
    ['guards = [0, 1, ...', 'guards = [0, ...', 'the first two KFENCE pages are guards'],
    ['(_, i) => 2 * i + 3', '(_, i) => 2 * i + 2', 'the right neighbour of an object is a guard'],
  ]),
  ...inFile('arch/arm64/mm/pageattr.ts', [
    ['if (!decisions.rodataFull ||', 'if (', 'vmalloc aliases follow with rodata_full only'],
    ['updatePage(state, at, readOnlyAlias);', '', 'vmalloc aliases follow with rodata_full'],
    [
      'for (const pa of pages) updatePage(',
      'for (const pa of []) updatePage(',
      'secret pages leave the linear map',
    ],
    [
      'if (!decisions.rodataFull) return;',
      'return;',
      'set_memory_ro() splits the alias of each page',
    ],
    [
      '{ set: PTE_PRESENT_INVALID, clear: PTE_VALID | prot.maybeNg }',
      '{ set: 0n, clear: PTE_VALID }',
      '15bfba1ad77f keeps PTE_PRESENT_INVALID',
    ],
    [
      '{ set: 0n, clear: PTE_VALID };',
      '{ set: PTE_PRESENT_INVALID, clear: PTE_VALID };',
      'before 15bfba1ad77f the bit is not set',
    ],
    [
      '{ set: PTE_RDONLY, clear: PTE_WRITE }',
      '{ set: PTE_RDONLY, clear: 0n }',
      'set_memory_ro() clears PTE_WRITE',
    ],
    ["(!whole || traits.bbml === 'none')", '(false)', 'a block that is partly covered is refused'],
    [
      "const shared = direction === 'decrypt' ? PROT_NS_SHARED : 0n;",
      'const shared = 0n;',
      'shared memory is mapped by its alias',
    ],
    [
      '{ set: set | shared, clear: clear | PROT_NS_SHARED }',
      '{ set: set | shared, clear: PROT_NS_SHARED }',
      'the mapping is broken before the change',
    ],
  ]),
  ...inFile('arch/arm64/mm/mmu-split.ts', [
    [
      "if (!decisions.linearMapRequiresBbml) return 'nothing';",
      '',
      'without the requires flag nothing is split',
    ],
    [
      "return time.pageAllocator === false || time.onlineCpus > 1 ? 'busy' : 'split';",
      "return 'busy';",
      'the boot CPU may split while it is alone',
    ],
    [
      "if (answer === 'nothing') return 0;",
      "if (answer === 'split') return 0;",
      'a request splits at its ends',
    ],
    ["if (answer === 'nothing') return 0;", '', 'no split without the capability'],
    ["if (answer === 'nothing') return 0;", 'return 0;', 'a request splits'],
    [
      'if (!traits.splitAsksRequires)',
      'if (traits.splitAsksRequires)',
      'what split_kernel_leaf_mapping() asks',
    ],
    ['if (!repaints(decisions)) return;', 'return;', 'CPUs that differ repaint to pages'],
    [
      'range_split_to_ptes(map, traits, map.offsetOfPa(sections.initBegin), end);',
      'range_split_to_ptes(map, traits, map.offsetOfPa(sections.aliasStart), end);',
      'the kernel alias is not repainted',
    ],
    [
      'if (table.level !== 3 && !pte_present(attributes)) return;',
      '',
      'the repaint does not see a lost block',
    ],
    [
      'lessAligned(first, last) ? first : last',
      'lessAligned(first, last) ? last : first',
      'a page splits at its less aligned end',
    ],
    [
      'if (!pmd || offset % CONT_PMD_SIZE === 0) return;',
      'if (!pmd) return;',
      'an aligned group is not split',
    ],
    [
      'if (!pte || offset % CONT_PTE_SIZE === 0) return;',
      'if (!pte) return;',
      'an aligned group of pages is not split',
    ],
    ['toCont ? leaf | PTE_CONT : leaf', 'leaf', 'a block splits to contiguous pages'],
    ['(block & PTE_PXN) !== 0n', 'false', 'tables of a split block are PXN as it was'],
  ]),
  ...inFile('arch/arm64/include/asm/pgtable.ts', [
    [
      'traits.presentInvalid ? pte_present(attributes) : (attributes & PTE_VALID) !== 0n',
      'pte_present(attributes) || true',
      'old kernels lose a block that is not valid',
    ],
  ]),
  ...inFile('refuses-pages.ts', [
    [
      'if (decisions.forcePteMapping || repaints(decisions) || splits) return false;',
      'return false;',
      'a page of a block cannot become secret',
    ],
    ['block ||= level < 3', 'block = true', 'contiguous pages are pages'],
  ]),
  ...inFile('areas.ts', [
    [
      '[freed, freed & ~PTE_NG, attributes & ~PTE_NG]',
      '[freed, attributes & ~PTE_NG]',
      'KPTI passes over freed KFENCE pages',
    ],
    [
      '[freed, freed & ~PTE_NG, attributes & ~PTE_NG]',
      '[freed, freed & ~PTE_NG]',
      'what KPTI passed over comes back global',
    ],
  ]),
  ...inFile('kernel/crash_reserve.ts', [
    [
      'return { start, end: start + size };',
      'return { start, end: start };',
      'crashkernel= reserves what it says',
    ],
  ]),
  ...inFile('mm/page_alloc.ts', [
    ['change(free, makeInvalid(traits, prot));', '', 'free pages are invalid with debug_pagealloc'],
    [
      'change(state.freePages, makeValid(traits, prot));',
      '',
      'what is allocated again is valid again',
    ],
    ['if (!state.decisions.debugPagealloc) return;', 'return;', 'debug_pagealloc=on'],
  ]),
  ...inFile('arch/arm64/mm/init.ts', [
    [
      'const base = Math.floor(first(present).start / align) * align;',
      'const base = present[0].start + align;',
      'memstart_addr rounds down',
    ],
    [
      'const present = ramRanges(machine, granule);',
      'const present = memoryRanges(machine, granule);',
      'memory begins with what a hole hides',
    ],
    [
      'start: Math.max(base + size, imageEnd()), end: Infinity',
      'start: Infinity, end: Infinity',
      'what the region has no room for is no memory',
    ],
  ]),
  {
    file: 'src/scenario/memory.ts',
    from: 'return join(whole.filter(({ start, end }) => start < end));',
    to: 'return whole.filter(({ start, end }) => start < end);',
    rule: 'memory of nodes that touch is one range',
  },
];
