/** One rule of the model, broken: `from` in `file` becomes `to`. */
export interface Mutation {
  file: string;
  from: string;
  to: string;
  rule: string;
}

const inFile = (file: string, list: [from: string, to: string, rule: string][]): Mutation[] =>
  list.map(([from, to, rule]) => ({ file: `src/model/${file}`, from, to, rule }));

/** Every rule of the model that a golden boot must notice when it is broken. */
export const mutations: readonly Mutation[] = [
  ...inFile('decisions.ts', [
    [
      "else if (value === 'off') [enabled, full] = [false, false]",
      "else if (value === 'off') [enabled, full] = [true, false]",
      'rodata=off turns rodata_enabled off',
    ],
    [
      'else if (value === partial) [enabled, full] = [true, false]',
      'else if (value === partial) [enabled, full] = [true, true]',
      'rodata=noalias leaves aliases alone',
    ],
    ['early = Number(value) !== 0', 'early = Number(value) === 0', 'a sample interval makes the KFENCE pool early'],
    ['!known.kfenceEarlyInit', 'known.kfenceEarlyInit', 'a late KFENCE pool needs pages'],
    ['forcePteMapping: !bbml && (', 'forcePteMapping: (', 'the capability allows large mappings'],
    [
      'const requires = !rules.forcePteMapping && rules.canSetDirectMap',
      'const requires = rules.canSetDirectMap',
      'requires needs large mappings',
    ],
    ['lpa2: traits.config.lpa2 &&', 'lpa2: !traits.config.lpa2 &&', 'LPA2 takes the shareability bits'],
    ['config.randomizeBase && !e0pd;', 'config.randomizeBase && e0pd;', 'KASLR without E0PD needs non-global mappings'],
  ]),
  ...inFile('cpufeature.ts', [
    ["r0('Neoverse-V3', 0xd84, 2)", "r0('Neoverse-V3', 0xd84, 1)", 'Neoverse-V3 is trusted from r0p2 on'],
    ["r0('Neoverse-V3', 0xd84, 2)", "r0('Neoverse-V3', 0xd84, 3)", 'Neoverse-V3 r0p2 is trusted'],
    ["if (bbml === 'none') return undefined;", '', 'old kernels do not ask for the capability'],
  ]),
  ...inFile('map-mem.ts', [
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
    ['if (traits.contiguousMayChange)', 'if (!traits.contiguousMayChange)', '7.2 maps the aliases first'],
    [
      'memory = without(memory, { start: sections.aliasStart',
      'memory = without(memory, { start: sections.initBegin',
      'the old kernel alias is a hole for memory',
    ],
  ]),
  ...inFile('create-mapping.ts', [
    ['TABLE_TYPE | TABLE_UXN', 'TABLE_TYPE', 'tables are UXN'],
    ['traits.tableAccessFlag ? TABLE_AF : 0n', 'traits.tableAccessFlag ? 0n : TABLE_AF', 'tables carry AF since 6.13'],
    [
      'if (entry === TABLE) return true;',
      'if (entry === TABLE) continue;',
      'a table keeps its group from being contiguous',
    ],
    [
      'return !(traits.contiguousMayChange && rangeHasValidNoncont',
      'return !(!traits.contiguousMayChange && rangeHasValidNoncont',
      'single pages keep their group from being contiguous',
    ],
    ['  if (old === TABLE) return;\n', '', 'a block is refused over a table, in silence'],
    ['attributes = prot & ~PMD_TABLE_BIT', 'attributes = prot', 'a block is no page'],
    ['map.geometry.pudSectSupported && mayUseBlock', 'mayUseBlock', '1 GiB blocks exist with 4K pages only'],
  ]),
  ...inFile('kernel-prot.ts', [
    ['decisions.useNgMappings ? PTE_NG : 0n', '0n', 'KPTI makes mappings non-global'],
    ['decisions.lpa2 ? 0n : PTE_SHARED', 'PTE_SHARED', 'no shareability bits with LPA2'],
    ['traits.kernelDirty ? PTE_DIRTY : 0n', 'traits.kernelDirty ? 0n : PTE_DIRTY', 'PTE_DIRTY by c25c4aa3f79a'],
    ['(normal & ~PTE_WRITE) | PTE_RDONLY', 'normal | PTE_RDONLY', 'read-only is not writable'],
    ['PTE_ATTRINDX(MT_NORMAL_TAGGED);', 'PTE_ATTRINDX(MT_NORMAL);', 'the linear map is tagged'],
  ]),
  ...inFile('boot.ts', [
    ['guards = [0, 1, ...', 'guards = [0, ...', 'the first two KFENCE pages are guards'],
    ['(_, i) => 2 * i + 3', '(_, i) => 2 * i + 2', 'the right neighbour of an object is a guard'],
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
    ['changeAttributes(map, traits, start, end, makeInvalid(traits, prot));', '', '7.3 makes the data alias invalid'],
    ['if (!decisions.rodataEnabled ||', 'if (', 'rodata=off leaves the data alias alone'],
    ['if (!decisions.rodataFull ||', 'if (', 'vmalloc aliases follow with rodata_full only'],
    ['setPage(state, at, readOnlyAlias);', '', 'vmalloc aliases follow with rodata_full'],
    ['for (const pa of pages) setPage(', 'for (const pa of []) setPage(', 'secret pages leave the linear map'],
    ['if (!splitsLeaves(state) || !inRegion) return;', 'if (!inRegion) return;', 'no split without the capability'],
    ['if (!splitsLeaves(state) || !inRegion) return;', 'return;', 'a request splits'],
    [
      'traits.splitAsksRequires ? decisions.linearMapRequiresBbml === true : !decisions.debugPagealloc',
      'traits.splitAsksRequires ? !decisions.debugPagealloc : decisions.linearMapRequiresBbml === true',
      'what split_kernel_leaf_mapping() asks',
    ],
  ]),
  ...inFile('pageattr.ts', [
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
    ['{ set: PTE_RDONLY, clear: PTE_WRITE }', '{ set: PTE_RDONLY, clear: 0n }', 'set_memory_ro() clears PTE_WRITE'],
  ]),
  ...inFile('split.ts', [
    [
      'if (table.level !== 3 && !isPresent(map.attributes(table.entries[index]))) return;',
      '',
      'the repaint does not see a lost block',
    ],
    [
      'lessAligned(start, end) ? start : end',
      'lessAligned(start, end) ? end : start',
      'a page splits at its less aligned end',
    ],
    ['if (!pmd || offset % CONT_PMD_SIZE === 0) return;', 'if (!pmd) return;', 'an aligned group is not split'],
    [
      'if (!pte || offset % CONT_PTE_SIZE === 0) return;',
      'if (!pte) return;',
      'an aligned group of pages is not split',
    ],
    ['toCont ? leaf | PTE_CONT : leaf', 'leaf', 'a block splits to contiguous pages'],
    ['(block & PTE_PXN) !== 0n', 'false', 'tables of a split block are PXN as it was'],
  ]),
  ...inFile('predict.ts', [
    [
      'registers: facts.idRegisters.map((idRegisters) =>',
      'registers: facts.idRegisters.map((_, __, [idRegisters]) =>',
      'the control registers of a CPU follow its own ID registers',
    ],
    [
      'const base = Math.floor(memoryRanges(question.machine, traits.geometry)[0].start / align) * align;',
      'const base = memoryRanges(question.machine, traits.geometry)[0].start + align;',
      'memstart_addr rounds down',
    ],
    [
      'variables[requiresSymbol] = BigInt(decisions.linearMapRequiresBbml === true)',
      'variables[requiresSymbol] = BigInt(decisions.linearMapRequiresBbml !== true)',
      'the requires flag',
    ],
  ]),
  ...inFile('probes.ts', [
    [
      'state.decisions.realm && !canChangePages(state)',
      'state.decisions.realm',
      'a realm that can share pages drives its devices',
    ],
    ['state.decisions.realm && !canChangePages(state)', 'false', 'a realm that cannot share pages drives none'],
    [
      'state.decisions.realm && !canChangePages(state)',
      '!canChangePages(state)',
      'in the normal world devices need no page of their own',
    ],
    ["'virtio-blk': ENOENT", "'virtio-blk': ENODEV", 'a disk without driver has no node'],
    ["'virtio-rng': ENODEV", "'virtio-rng': ENOENT", 'the node of the sources of randomness is there without one'],
    ['errno: EIO, why:', 'errno: 0, why:', 'a refused CPU fails the request'],
    [
      'return decisions.canSetDirectMap\n',
      'return !decisions.canSetDirectMap\n',
      'memfd_secret() asks can_set_direct_map()',
    ],
  ]),
  ...inFile('registers.ts', [
    ['[16, 6, 64 - vaBits]', '[16, 6, 65 - vaBits]', 'T1SZ'],
    ['[59, 1, decisions.lpa2]', '[59, 1, false]', 'TCR_EL1.DS with LPA2'],
    ['[40, 1, featuresEnabled && dbm]', '[40, 1, dbm]', 'TCR_EL1.HD only once features are known'],
    ['[56, 1, featuresEnabled && e0pd]', '[56, 1, false]', 'TCR_EL1.E0PD1'],
    ['[8, 8, tagged && featuresEnabled ? 0xf0 : 0xff]', '[8, 8, 0xf0]', 'MAIR without MTE'],
    ['[1, 1, s1pie]', '[1, 1, false]', 'TCR2_EL1.PIE'],
    ['0xcc880e0ac0800000n', '0xcc880e0ac0800001n', 'PIE_E1'],
    ['BigInt(inputs.swapper +', 'BigInt(inputs.swapper + 65536 +', 'TTBR1 is swapper_pg_dir'],
  ]),
  ...inFile('pgattr.ts', [
    [
      'if (isNormal(old) && isNormal(next)) mask |= PTE_ATTRINDX_MASK;',
      '',
      'Normal and Normal-Tagged may change into each other',
    ],
  ]),
  ...inFile('sharing.ts', [
    [
      'const supported = request.capabilitiesFinal && decisions.systemBbml;',
      'const supported = decisions.systemBbml;',
      'capabilities count once they are final',
    ],
    ["if (!decisions.linearMapRequiresBbml) return 'nothing';", '', 'without the requires flag nothing is split'],
    [
      "return request.pageAllocator === false || request.onlineCpus > 1 ? 'busy' : 'split';",
      "return 'busy';",
      'the boot CPU may split while it is alone',
    ],
    ["if (answer === 'split') splitAtEnds", "if (answer === 'busy') splitAtEnds", 'a request splits at its ends'],
    [
      "const set = direction === 'decrypt' ? PROT_NS_SHARED : 0n;",
      'const set = 0n;',
      'shared memory is mapped by its alias',
    ],
    ['{ set, clear: clear | PTE_VALID },', '{ set, clear },', 'the mapping is broken before the change'],
  ]),
  ...inFile('pageattr.ts', [
    [
      'traits.presentInvalid ? isPresent(attributes) : (attributes & PTE_VALID) !== 0n',
      'isPresent(attributes) || true',
      'old kernels lose a block that is not valid',
    ],
    ["(!whole || traits.bbml === 'none')", 'false', 'a block that is partly covered is refused'],
  ]),
  ...inFile('boot.ts', [
    ['if (!decisions.rodataFull) return;', 'return;', 'set_memory_ro() splits the alias of each page'],
    ['if (!repaints(decisions)) return;', 'return;', 'CPUs that differ repaint to pages'],
    [
      'range_split_to_ptes(map, traits, map.offsetOfPa(sections.initBegin), end);',
      'range_split_to_ptes(map, traits, map.offsetOfPa(sections.aliasStart), end);',
      'the kernel alias is not repainted',
    ],
    [
      'return decisions.forcePteMapping || repaints(decisions) || splitsLeaves(state);',
      'return true;',
      'a page of a block cannot become secret',
    ],
  ]),
  ...inFile('decisions.ts', [
    [
      'canSetDirectMap: rules.canSetDirectMapInMapMem || realm',
      'canSetDirectMap: rules.canSetDirectMapInMapMem',
      'a realm may set its direct map',
    ],
    ['const systemBbml = capable.every(', 'const systemBbml = capable.some(', 'every CPU must be capable'],
  ]),
  {
    file: 'src/scenario/memory.ts',
    from: 'if (last && last.start + last.size === start) last.size += size;',
    to: 'if (last && false) last.size += size;',
    rule: 'memory of nodes that touch is one range',
  },
  ...inFile('late-cpus.ts', [
    [
      "'bbml' in capability.match ? boot.every(has)",
      "'bbml' in capability.match ? boot.some(has)",
      'a CPU that comes again meets a system that has the capability only where every CPU has',
    ],
    [
      'return machine.late ? idRegisters.slice(0, 1) : idRegisters;',
      'return idRegisters;',
      'a late CPU has no say in the capabilities',
    ],
    [
      'system ? cpucapType.optionalForLate : cpucapType.permittedForLate',
      'system ? cpucapType.permittedForLate : cpucapType.optionalForLate',
      'what a late CPU may miss is not what it may have',
    ],
    ["{ register: 'ID_AA64MMFR2_EL1', lsb: 52 },", '', 'CPUs of different FEAT_BBM levels get a warning'],
    ["{ register: 'ID_AA64MMFR1_EL1', lsb: 0 },", '', 'CPUs of different HAFDBS get a warning'],
  ]),
  ...inFile('cpufeature.ts', [
    [
      "idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 3;",
      "idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 4;",
      '7.3 believes BBM level 3',
    ],
  ]),
  ...inFile('kpti.ts', [
    ['if (!decisions.kpti || decisions.useNgMappings) return;', 'return;', 'KPTI rewrites the tables'],
    ['__kernel_map_pages(state, state.freeAtKpti);', '', 'what is free when KPTI comes stays as it is'],
    ['      below.descriptor |= PTE_NG;\n', '', 'KPTI makes tables non-global, too'],
    ['if (attributes & PTE_VALID) table', 'table', 'KPTI skips what is not valid'],
    ["idField(registers, 'ID_AA64PFR0_EL1', 60) === 0", 'false', 'a CPU without CSV3 needs KPTI'],
    ['state.prot = kernelProt(', 'kernelProt(', 'what is mapped behind KPTI is non-global'],
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
  ...inFile('crash-reserve.ts', [
    ['end: crashKernel + size }', 'end: crashKernel }', 'crashkernel= reserves what it says'],
  ]),
  ...inFile('registers.ts', [['isA64fx(idRegisters.MIDR_EL1 ?? 0n)', 'false', 'TCR_EL1.NFD1 stays off on an A64FX']]),
  ...inFile('page-alloc.ts', [
    ['change(free, makeInvalid(traits, prot));', '', 'free pages are invalid with debug_pagealloc'],
    ['change(state.freePages, makeValid(traits, prot));', '', 'what is allocated again is valid again'],
    ['if (!state.decisions.debugPagealloc) return;', 'return;', 'debug_pagealloc=on'],
  ]),
  ...inFile('decisions.ts', [
    [
      'if (known.debugPagealloc) return { forcePteMapping: true',
      'if (known.debugPagealloc) return { forcePteMapping: false',
      'debug_pagealloc needs pages on any CPU',
    ],
  ]),
  ...inFile('create-mapping.ts', [
    [
      '      initContPmds(request, table, addr, next, prot);\n      continue;',
      '      initContPmds(request, table, addr, end, prot);\n      return;',
      'with two levels no group of PMDs is contiguous',
    ],
  ]),
  ...inFile('registers.ts', [
    ['8 * (entries(52) - entries(48))', '0', 'a root for 52 bits is walked from its middle with 48'],
  ]),
];
