import { PtdiffError } from '../errors.ts';
import { addressedPages, calls, moveConstants } from './code-constants.ts';
import { type CpuCapability, cpuCapabilities } from './cpu-capabilities.ts';
import { type Geometry, geometryOf } from './geometry.ts';
import { type KernelConfig, kernelConfigOf } from './image-config.ts';
import { PTE_DIRTY, PTE_PRESENT_INVALID, PTE_PXN, PTE_UXN } from './pgprot.ts';
import { atLeast, parseRelease, type Release } from './release.ts';
import type { SymbolTable } from './symbol-table.ts';

/** What one kernel Image is made of, as far as the linear map depends on it. Each has its reason beside it in `traitsOf`. */
export interface KernelTraits {
  release: Release;
  /** Name of the generation, and whether the kernel is newer than every generation known here. */
  generation: string;
  newerThanKnown: boolean;
  geometry: Geometry;
  config: KernelConfig;
  /** Spelling of rodata=: 'full' is the full protection of vmalloc aliases until 6.17, 'on' since 6.18. */
  rodataFullSpelling: 'full' | 'on';
  /** How the linear map uses the BBM capability: not at all, by FEAT_BBM level 2 without aborts, or level 3. */
  bbml: 'none' | 'bbml2' | 'bbml3';
  /** Variable linear_map_requires_bbml{2,3}; undefined before 6.18. */
  requiresSymbol: string | undefined;
  /** split_kernel_leaf_mapping() asks linear_map_requires_bbml2 (f12b435de2f2) instead of force_pte_mapping(). */
  splitAsksRequires: boolean;
  /** is_realm_world() is part of can_set_direct_map(). */
  knowsRealms: boolean;
  /** First byte of the kernel's alias that is mapped apart and made read-only: _text since 5973a62efa34, _stext before. */
  aliasStart: '_text' | '_stext';
  /** map_mem() maps the kernel's alias before all memory, with contiguous mappings allowed and changeable. */
  contiguousMayChange: boolean;
  /** map_mem() rounds ranges of memory inward to pages of the kernel. */
  mapsWholePagesOnly: boolean;
  /** What mark_rodata_ro() does to the linear alias of [__init_end, __bss_stop). */
  dataAlias: 'writable' | 'readOnly' | 'invalid';
  /** PAGE_KERNEL* carry PTE_DIRTY. */
  kernelDirty: boolean;
  /** set_memory_valid() keeps PTE_PRESENT_INVALID in what it makes invalid. */
  presentInvalid: boolean;
  /** Table descriptors carry the access flag. */
  tableAccessFlag: boolean;
  /** memstart_addr may be randomised together with KASLR. */
  randomLinearMap: boolean;
  /** set_memory_ro() on a part of a vmalloc area changes the alias of the whole area. */
  aliasOfWholeArea: boolean;
  /** What the kernel detects on each CPU by its part: a late CPU may be refused for it. Absent when the Image does not show its tables. */
  cpuCapabilities?: CpuCapability[];
  /** Devices of QEMU that the kernel drives without a module, by QEMU's names. */
  builtInDrivers: string[];
}

/** A function of each driver that is in the Image exactly when the driver is. */
const driverFunctions: Record<string, string> = {
  'virtio-console': 'virtcons_probe',
  'virtio-blk': 'virtblk_probe',
  'virtio-rng': 'virtrng_probe',
  'virtio-net': 'virtnet_probe',
};

/** Oldest and newest release that the model was checked against, and a short name for each that differs. */
const generations: { from: [number, number]; name: string }[] = [
  { from: [7, 3], name: '7.3: BBML3, data alias invalid' },
  { from: [7, 2], name: '7.2: kernel alias mapped first, data alias read-only' },
  { from: [7, 1], name: '7.1: split asks the requires flag' },
  { from: [6, 18], name: '6.18-7.0: large mappings with BBML2_NOABORT' },
  { from: [6, 13], name: '6.13-6.17: blocks unless the direct map is set, realms known' },
  { from: [6, 12], name: '6.12: blocks unless the direct map is set' },
];
const newestKnown: [number, number] = [7, 3];

/** Names of the generations that the model knows, oldest first. */
export const knownGenerations: readonly string[] = generations.map(({ name }) => name).reverse();

/** PAGE_KERNEL_RO is built in this function: bits 63:48 come in one MOVK, 0xe0 with PTE_DIRTY and 0x60 without. */
function kernelDirtyOf(image: Uint8Array, symbols: SymbolTable): boolean {
  const constants = moveConstants(image, symbols, 'mark_linear_text_alias_ro') ?? [];
  const high = constants.find(({ kind, value }) => kind === 'movk' && (value & ~PTE_DIRTY) === (PTE_PXN | PTE_UXN));
  if (!high) {
    throw new PtdiffError(
      'image',
      'Cannot tell from mark_linear_text_alias_ro() whether PAGE_KERNEL carries PTE_DIRTY; this kernel needs a newer ptdiff.',
    );
  }
  return (high.value & PTE_DIRTY) !== 0n;
}

/** The set_mask of set_direct_map_invalid_noflush() is PTE_PRESENT_INVALID (0x800) since 15bfba1ad77f, and 0 before. */
function presentInvalidOf(image: Uint8Array, symbols: SymbolTable): boolean {
  const constants = moveConstants(image, symbols, 'set_direct_map_invalid_noflush') ?? [];
  return constants.some(({ kind, value }) => kind === 'movz' && value === PTE_PRESENT_INVALID);
}

/** The symbol that mark_linear_text_alias_ro() starts from; 6.17, and stable updates before. */
function aliasStartOf(image: Uint8Array, symbols: SymbolTable): '_text' | '_stext' {
  const pages = addressedPages(image, symbols, 'mark_linear_text_alias_ro') ?? [];
  return pages.includes(symbols.textBase) ? '_text' : '_stext';
}

/** mark_rodata_ro() ends with mark_linear_data_alias_valid(false) in 7.3, which is set_memory_valid() where it is inlined. */
function dataAliasOf(image: Uint8Array, symbols: SymbolTable, release: Release): KernelTraits['dataAlias'] {
  const makers = ['mark_linear_data_alias_valid', 'set_memory_valid'];
  if (makers.some((name) => calls(image, symbols, 'mark_rodata_ro', name))) return 'invalid';
  return atLeast(release, 7, 2) ? 'readOnly' : 'writable';
}

function generationOf(release: Release): { generation: string; newerThanKnown: boolean } {
  const found = generations.find(({ from: [major, minor] }) => atLeast(release, major, minor));
  if (!found) {
    throw new PtdiffError('image', `The model knows kernels from 6.12 on; ${release.major}.${release.minor} is older.`);
  }
  const [major, minor] = newestKnown;
  return { generation: found.name, newerThanKnown: atLeast(release, major, minor + 1) };
}

/**
 * Traits of a kernel. What has a symbol, an option or a trace in the code is read there, as stable updates carry backports; only what
 * leaves no trace at all is decided by the release.
 * @param image the whole Image
 * @throws PtdiffError(image) for a kernel that the model cannot describe
 */
export function traitsOf(releaseText: string, image: Uint8Array, symbols: SymbolTable): KernelTraits {
  const release = parseRelease(releaseText);
  const kernelConfig = kernelConfigOf(image, symbols);
  const requiresSymbol = ['linear_map_requires_bbml3', 'linear_map_requires_bbml2'].find((name) => symbols.has(name));
  const bbml = requiresSymbol === undefined ? 'none' : requiresSymbol.endsWith('3') ? 'bbml3' : 'bbml2';
  return {
    release,
    ...generationOf(release),
    geometry: geometryOf(kernelConfig.granule),
    config: kernelConfig,
    // arch_parse_debug_rodata() in arch/arm64/include/asm/setup.h of 6.17 and 6.18.
    rodataFullSpelling: atLeast(release, 6, 18) ? 'on' : 'full',
    bbml,
    requiresSymbol,
    // f12b435de2f2 introduced page_alloc_available together with the new question; 7.1 and stable 7.0.x.
    splitAsksRequires: symbols.has('page_alloc_available'),
    // 42be24a4178f, 6.13
    knowsRealms: symbols.has('arm64_rsi_init'),
    aliasStart: aliasStartOf(image, symbols),
    contiguousMayChange: atLeast(release, 7, 2),
    mapsWholePagesOnly: atLeast(release, 7, 3),
    dataAlias: dataAliasOf(image, symbols, release),
    // c25c4aa3f79a gave PTE_DIRTY back to PAGE_KERNEL*; stable updates carry it.
    kernelDirty: kernelDirtyOf(image, symbols),
    presentInvalid: presentInvalidOf(image, symbols),
    // efe72541355d, 6.13
    tableAccessFlag: atLeast(release, 6, 13),
    // The seed's variable went with 1db780bafa4c, 6.16.
    randomLinearMap: symbols.has('memstart_offset_seed'),
    // change_memory_common() in arch/arm64/mm/pageattr.c walked all of area->pages up to 6.18.
    aliasOfWholeArea: !atLeast(release, 6, 19),
    cpuCapabilities: cpuCapabilities(image, symbols),
    builtInDrivers: Object.keys(driverFunctions).filter((device) => symbols.has(driverFunctions[device])),
  };
}
