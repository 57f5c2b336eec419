// SPDX-License-Identifier: GPL-2.0-only
import { inFile, type Mutation } from './mutation.ts';

/** What is decided: features, capabilities, registers, what probes find. */
export const decisionMutations: readonly Mutation[] = [
  ...inFile('arch/arm64/include/asm/setup.ts', [
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
  ]),
  ...inFile('arch/arm64/mm/mmu.ts', [
    [
      'early = option !== 0',
      'early = option === 0',
      'a sample interval makes the KFENCE pool early',
    ],
    [
      'if (!decisions.kpti || decisions.useNgMappings) return;',
      'return;',
      'KPTI rewrites the tables',
    ],
    [
      '__kernel_map_pages(state, state.question.facts.freeAtKpti ?? []);',
      '',
      'what is free when KPTI comes stays as it is',
    ],
    ['state.prot = kernelProt(', 'kernelProt(', 'what is mapped behind KPTI is non-global'],
    [
      '!decisions.forcePteMapping && decisions.canSetDirectMapInMapMem',
      'decisions.canSetDirectMapInMapMem',
      'requires needs large mappings',
    ],
  ]),
  ...inFile('arch/arm64/include/asm/kfence.ts', [
    ['!decisions.kfenceEarlyInit', 'decisions.kfenceEarlyInit', 'a late KFENCE pool needs pages'],
  ]),
  ...inFile('arch/arm64/mm/mmu-split.ts', [
    ['if (bbml) return false;', '', 'the capability allows large mappings'],
    [
      'if (decisions.debugPagealloc) return true;',
      'if (decisions.debugPagealloc) return false;',
      'debug_pagealloc needs pages on any CPU',
    ],
  ]),
  ...inFile('arch/arm64/kernel/pi/map_kernel.ts', [
    ['config.lpa2 && cpuHas', '!config.lpa2 && cpuHas', 'LPA2 takes the shareability bits'],
  ]),
  ...inFile('arch/arm64/kernel/cpufeature.ts', [
    [
      'kaslr_enabled(kernel) && !e0pd',
      'kaslr_enabled(kernel) && e0pd',
      'KASLR without E0PD needs non-global mappings',
    ],
    [
      'decisions.systemBbml = idRegisters.every(',
      'decisions.systemBbml = idRegisters.some(',
      'every CPU must be capable',
    ],
    [
      "r0('Neoverse-V3', 0xd84, 2)",
      "r0('Neoverse-V3', 0xd84, 1)",
      'Neoverse-V3 is trusted from r0p2 on',
    ],
    ["r0('Neoverse-V3', 0xd84, 2)", "r0('Neoverse-V3', 0xd84, 3)", 'Neoverse-V3 r0p2 is trusted'],
    ["if (bbml === 'none') return undefined;", '', 'old kernels do not ask for the capability'],
    [
      "idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 3;",
      "idField(registers, 'ID_AA64MMFR2_EL1', 52) >= 4;",
      '7.3 believes BBM level 3',
    ],
    ["idField(registers, 'ID_AA64PFR0_EL1', 60) === 0", 'false', 'a CPU without CSV3 needs KPTI'],
    [
      "'bbml' in capability.match ? boot.every(has)",
      "'bbml' in capability.match ? boot.some(has)",
      'a CPU that comes again meets a system that has the capability only where every CPU has',
    ],
    [
      'system ? cpucapType.optionalForLate : cpucapType.permittedForLate',
      'system ? cpucapType.permittedForLate : cpucapType.optionalForLate',
      'what a late CPU may miss is not what it may have',
    ],
  ]),
  ...inFile('decisions.ts', [
    [
      'canSetDirectMap: can_set_direct_map(kernel)',
      'canSetDirectMap: kernel.decisions.canSetDirectMapInMapMem',
      'a realm may set its direct map',
    ],
  ]),
  ...inFile('arch/arm64/mm/proc.ts', [
    ['      below.descriptor |= PTE_NG;\n', '', 'KPTI makes tables non-global, too'],
    [
      'attributes & PTE_VALID ? map.leaf(attributes | PTE_NG) : leaf',
      'map.leaf(attributes | PTE_NG)',
      'KPTI skips what is not valid',
    ],
    ['[16, 6, 64 - vaBits]', '[16, 6, 65 - vaBits]', 'T1SZ'],
    ['[59, 1, decisions.lpa2]', '[59, 1, false]', 'TCR_EL1.DS with LPA2'],
    ['[40, 1, featuresEnabled && dbm]', '[40, 1, dbm]', 'TCR_EL1.HD only once features are known'],
    ['[56, 1, featuresEnabled && e0pd]', '[56, 1, false]', 'TCR_EL1.E0PD1'],
    ['[8, 8, tagged && featuresEnabled ? 0xf0 : 0xff]', '[8, 8, 0xf0]', 'MAIR without MTE'],
    ['[1, 1, s1pie]', '[1, 1, false]', 'TCR2_EL1.PIE'],
    ['0xcc880e0ac0800000n', '0xcc880e0ac0800001n', 'PIE_E1'],
    ['BigInt(inputs.swapper +', 'BigInt(inputs.swapper + 65536 +', 'TTBR1 is swapper_pg_dir'],
    ['isA64fx(midr)', 'false', 'TCR_EL1.NFD1 stays off on an A64FX'],
    [
      '8 * (entries(52) - entries(48))',
      '0',
      'a root for 52 bits is walked from its middle with 48',
    ],
  ]),
  ...inFile('arch/arm64/kernel/smp.ts', [
    [
      'return machine.late ? idRegisters.slice(0, 1) : idRegisters;',
      'return idRegisters;',
      'a late CPU has no say in the capabilities',
    ],
    [
      "{ register: 'ID_AA64MMFR2_EL1', lsb: 52 },",
      '',
      'CPUs of different FEAT_BBM levels get a warning',
    ],
    ["{ register: 'ID_AA64MMFR1_EL1', lsb: 0 },", '', 'CPUs of different HAFDBS get a warning'],
  ]),
  ...inFile('probes.ts', [
    [
      'state.decisions.realm && refusesPages(state)',
      'state.decisions.realm',
      'a realm that can share pages drives its devices',
    ],
    [
      'state.decisions.realm && refusesPages(state)',
      'false',
      'a realm that cannot share pages drives none',
    ],
    [
      'state.decisions.realm && refusesPages(state)',
      'refusesPages(state)',
      'in the normal world devices need no page of their own',
    ],
    ["'virtio-blk': ENOENT", "'virtio-blk': ENODEV", 'a disk without driver has no node'],
    [
      "'virtio-rng': ENODEV",
      "'virtio-rng': ENOENT",
      'the node of the sources of randomness is there without one',
    ],
    ['errno: EIO, why:', 'errno: 0, why:', 'a refused CPU fails the request'],
  ]),
  ...inFile('mm/secretmem.ts', [
    [
      'return canSetDirectMap\n',
      'return !canSetDirectMap\n',
      'memfd_secret() asks can_set_direct_map()',
    ],
  ]),
  ...inFile('predict.ts', [
    [
      'registers: facts.idRegisters.map((idRegisters) =>',
      'registers: facts.idRegisters.map((_, __, [idRegisters]) =>',
      'the control registers of a CPU follow its own ID registers',
    ],
    [
      'variables[requiresSymbol] = BigInt(decisions.linearMapRequiresBbml === true)',
      'variables[requiresSymbol] = BigInt(decisions.linearMapRequiresBbml !== true)',
      'the requires flag',
    ],
  ]),
];
