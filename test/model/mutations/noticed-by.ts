// SPDX-License-Identifier: GPL-2.0-only
/**
 * What notices that a rule is broken, by the words of the rule: a recorded boot, or a rule of
 * test/model/rules.ts. It is asked first, which saves asking most others in vain; where it notices
 * no more, all are asked. Only rules that few notice, and those that decide at load, stand here.
 */
export const noticedBy: ReadonlyMap<string, string> = new Map([
  [
    '1 GiB blocks exist with 4K pages only',
    '16K pages have no level 1 blocks, even where memory is aligned to them',
  ],
  [
    'CPUs of different FEAT_BBM levels get a warning',
    'a late CPU may have the capability where the system lacks it; its other FEAT_BBM level is complained about',
  ],
  [
    'CPUs of different HAFDBS get a warning',
    'a CPU without the hardware access flag is let in beside one that has it, and complained about',
  ],
  [
    'CPUs that differ repaint to pages',
    '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+then-max+hotplug.json.gz',
  ],
  [
    'KASLR without E0PD needs non-global mappings',
    '7.3.4-16k-va52-debug_pagealloc-crash-virtio@cortex-a76+kaslr.json.gz',
  ],
  ['KPTI makes mappings non-global', '6.12.107+deb13-arm64@a64fx.json.gz'],
  ['KPTI passes over freed KFENCE pages', '6.12.107+deb13-arm64@kfence-kpti-global.json.gz'],
  ['KPTI skips what is not valid', '6.12.107-debug_pagealloc@max+pagealloc+kpti.json.gz'],
  ['Neoverse-V3 is trusted from r0p2 on', '7.0.13+deb13-arm64@neoverse-v3-r0p1+off.json.gz'],
  ['Neoverse-V3 r0p2 is trusted', '6.18.15+deb13-arm64@neoverse-v3-r0p2+holes.json.gz'],
  ['PIE_E1', '6.12.107+deb13-arm64-16k@max+off+kfence100.json.gz'],
  ['TCR_EL1.NFD1 stays off on an A64FX', '6.12.107+deb13-arm64@a64fx.json.gz'],
  ['a CPU without CSV3 needs KPTI', '6.12.107+deb13-arm64@a64fx.json.gz'],
  [
    'a block is refused over a table, in silence',
    '6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+then-max.json.gz',
  ],
  [
    'a disk without driver has no node',
    'a realm whose blocks cannot be shared has no driver: no port and no disk (ENOENT), no randomness and no network (ENODEV)',
  ],
  [
    'a late CPU has no say in the capabilities',
    '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+late-max.json.gz',
  ],
  [
    'a page of a block cannot become secret',
    'a realm whose blocks cannot be shared has no driver: no port and no disk (ENOENT), no randomness and no network (ENODEV)',
  ],
  [
    'a page that no-map memory is a part of is left out since 7.3',
    '7.3.4+deb13-arm64-16k@neoverse-v3-r0p2+odd-holes.json.gz',
  ],
  [
    'a realm may set its direct map',
    'a realm may set its direct map, which map_mem() did not know yet',
  ],
  ['a root for 52 bits is walked from its middle with 48', '7.3.4-64k-va52@cortex-a76.json.gz'],
  ['an aligned group is not split', 'a request for a whole contiguous group splits nothing'],
  ['every CPU must be capable', '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+then-max.json.gz'],
  [
    'memory begins with what a hole hides',
    '7.3.4+deb13-arm64@monitor+neoverse-v3-r0p2+low-holes.json.gz',
  ],
  [
    'memory of nodes that touch is one range',
    '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+nodes.json.gz',
  ],
  [
    'old kernels do not ask for the capability',
    'a kernel that does not know the capability has none, on a listed part either',
  ],
  [
    'rodata=off leaves the data alias alone',
    '7.2.13+deb14-arm64@neoverse-v3-r0p2+off+kfence100.json.gz',
  ],
  [
    'set_memory_ro() clears PTE_WRITE',
    '6.12.107+deb13-arm64-16k@neoverse-v3-r0p2+odd-holes.json.gz',
  ],
  [
    'set_memory_ro() splits the alias of each page',
    'set_memory_ro() splits the alias of each of its pages under rodata_full',
  ],
  [
    'the RMM is not asked where the mapping could not be broken',
    '6.18.15+deb13-arm64@realm+neoverse-v3-r0p2+nodes.json.gz',
  ],
  [
    'the control registers of a CPU follow its own ID registers',
    '7.3.4+deb13-arm64@monitor+max+then-no-hafdbs.json.gz',
  ],
  [
    'the node of the sources of randomness is there without one',
    'a realm whose blocks cannot be shared has no driver: no port and no disk (ENOENT), no randomness and no network (ENODEV)',
  ],
  ['version 1.0 is asked for', '6.16.12+deb13-arm64@realm-late-rsi.json.gz'],
  [
    'vmalloc aliases follow with rodata_full only',
    '7.3.4+deb13-arm64@neoverse-v3-r0p2+noalias.json.gz',
  ],
  [
    'what is free when KPTI comes stays as it is',
    '6.12.107-debug_pagealloc@max+pagealloc+kpti.json.gz',
  ],
  ['debug_pagealloc=on', '7.3.4-64k42@max+pagealloc.json.gz'],
  ['debug_pagealloc needs pages on any CPU', '7.3.4-64k42@max+pagealloc.json.gz'],
  ['what the host destroyed is not RAM', '7.3.4+deb13-arm64@realm+neoverse-v3-r0p2+holes.json.gz'],
  [
    'what the region has no room for is no memory',
    '7.3.4-16k-va36-debug_pagealloc-crash-virtio@neoverse-v3-r0p2+64g.json.gz',
  ],
  [
    'without the requires flag nothing is split',
    'since f12b435de2f2 nothing is split unless the requires flag is set',
  ],
]);
