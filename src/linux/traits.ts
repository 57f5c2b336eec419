// SPDX-License-Identifier: GPL-2.0-only
import { last } from '../present.ts';
import { type Assumption, Assumptions } from './assumptions.ts';
import { brokenDbmOf } from './broken-dbm.ts';
import { byRelease } from './changes/index.ts';
import {
  aliasStartShown,
  invalidatesDataAlias,
  kernelDirtyShown,
  mapsWholePagesShown,
  presentInvalidShown,
} from './code-traits.ts';
import { cpuCapabilities } from './cpu-capabilities.ts';
import { geometryOf } from './geometry.ts';
import { has, kernelConfigOf } from './image-config.ts';
import type { KernelConfig } from './kernel-config.ts';
import type { KernelTraits } from './kernel-traits.ts';
import { atLeast, type Release, releaseOf } from './release.ts';
import { rsiBeforePagingInit } from './rsi-order.ts';
import type { SymbolTable } from './symbol-table.ts';

/** Functions of each driver. The Image has them exactly when the driver is built in. */
const driverFunctions: Record<string, string[]> = {
  'virtio-console': ['virtcons_probe', 'virtcons_remove'],
  'virtio-blk': ['virtblk_probe', 'virtblk_remove'],
  'virtio-rng': ['virtrng_probe', 'virtrng_remove'],
  'virtio-net': ['virtnet_probe', 'virtnet_remove'],
};

/**
 * Oldest and newest release that the model was checked against, with a short name for each
 * generation.
 */
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

/**
 * The newest release that the model was checked against. A kernel whose release cannot be read
 * counts as this one.
 */
const newestRelease: Release = { major: newestKnown[0], minor: newestKnown[1], patch: 0 };

/** The release that rules are looked up by. */
function ruleRelease(text: string, notKnown: string[]): Release {
  const release = releaseOf(text);
  if (release) return release;
  notKnown.push(
    `its release: '${text}' is none such as 6.18.15, so that the rules of ${newestKnown.join('.')} are taken`,
  );
  return newestRelease;
}

function generationOf(
  release: Release,
  notKnown: string[],
): { generation: string; newerThanKnown: boolean } {
  const found = generations.find(({ from: [major, minor] }) => atLeast(release, major, minor));
  const oldest = last(generations);
  if (!found) {
    const older = `${release.major}.${release.minor}, which is older than ${oldest.from.join('.')}`;
    notKnown.push(
      `its generation: it is of ${older}, the oldest that the model knows, so that its rules are taken`,
    );
  }
  const [major, minor] = newestKnown;
  return { generation: (found ?? oldest).name, newerThanKnown: atLeast(release, major, minor + 1) };
}

/**
 * Whether the linear map uses the BBM capability: by the variable that map_mem() sets, or by the
 * release where that variable has another name.
 */
function bbmlOf(
  symbols: SymbolTable,
  release: Release,
  assumed: Assumptions,
): Pick<KernelTraits, 'bbml' | 'requiresSymbol'> {
  const requiresSymbol = ['linear_map_requires_bbml3', 'linear_map_requires_bbml2'].find((name) =>
    symbols.has(name),
  );
  const shown =
    requiresSymbol === undefined ? undefined : requiresSymbol.endsWith('3') ? 'bbml3' : 'bbml2';
  const large = byRelease(release, 'large-with-bbm') ? 'bbml2' : 'none';
  const rule = byRelease(release, 'bbml3') ? 'bbml3' : large;
  const bbml = assumed.trait('bbml', shown ?? (rule === 'none' ? rule : undefined), {
    rule,
    others: ['bbml3', 'bbml2', 'none'],
    says: (value) =>
      value === 'none'
        ? 'the linear map asks no CPU for FEAT_BBM'
        : `the linear map is large on CPUs of its ${value.toUpperCase()} list`,
    why: 'it has no variable linear_map_requires_bbml2 or linear_map_requires_bbml3',
  });
  return { bbml, requiresSymbol };
}

/** What mark_rodata_ro() does to the linear alias of data. */
function dataAliasOf(
  image: Uint8Array,
  symbols: SymbolTable,
  release: Release,
  assumed: Assumptions,
): KernelTraits['dataAlias'] {
  const words = {
    writable: 'stays writable',
    readOnly: 'becomes read-only',
    invalid: 'becomes invalid',
  };
  const valid = byRelease(release, 'data-alias-read-only') ? 'readOnly' : 'writable';
  const rule = byRelease(release, 'data-alias-invalid') ? 'invalid' : valid;
  const invalidates = invalidatesDataAlias(image, symbols);
  const shown = invalidates
    ? 'invalid'
    : invalidates === false && rule !== 'invalid'
      ? rule
      : undefined;
  return assumed.trait('dataAlias', shown, {
    rule,
    others: ['invalid', 'readOnly', 'writable'],
    says: (value) => `the linear alias of [__init_end, __bss_stop) ${words[value]}`,
    why: 'mark_rodata_ro() does not call mark_linear_data_alias_valid() or set_memory_valid()',
  });
}

/** Traits that a symbol shows and only a rename or inlining can hide. */
function symbolTraits(
  symbols: SymbolTable,
  release: Release,
  config: KernelConfig,
  assumed: Assumptions,
) {
  const shown = (names: string[], since: boolean) =>
    has(symbols, names) ? true : since ? undefined : false;
  return {
    // f12b435de2f2 introduced page_alloc_available together with the new check.
    splitAsksRequires: assumed.trait(
      'splitAsksRequires',
      shown(['page_alloc_available'], byRelease(release, 'split-asks-requires')),
      {
        rule: true,
        others: [false],
        says: (asks) =>
          `split_kernel_leaf_mapping() asks ${asks ? 'the requires flag' : 'split_leaf_mapping_possible()'}`,
        why: 'it has no variable page_alloc_available',
      },
    ),
    knowsRealms: assumed.trait(
      'knowsRealms',
      shown(['arm64_rsi_init', 'rsi_present'], byRelease(release, 'knows-realms')),
      {
        rule: true,
        others: [false],
        says: (knows) =>
          knows
            ? 'is_realm_world() is a part of can_set_direct_map()'
            : 'it knows nothing of realms',
        why: 'it has no arm64_rsi_init() and no variable rsi_present',
      },
    ),
    // 1db780bafa4c removed the seed's variable.
    randomLinearMap: assumed.trait(
      'randomLinearMap',
      shown(
        ['memstart_offset_seed'],
        config.randomizeBase && !byRelease(release, 'linear-map-not-random'),
      ),
      {
        rule: true,
        others: [false],
        says: (random) =>
          `KASLR ${random ? 'randomises' : 'leaves alone'} where the linear map begins`,
        why: 'it has no variable memstart_offset_seed',
      },
    ),
  };
}

/** Traits that only machine code shows. */
function codeTraits(
  image: Uint8Array,
  symbols: SymbolTable,
  release: Release,
  { granule }: KernelConfig,
  assumed: Assumptions,
) {
  const alias = 'mark_linear_text_alias_ro()';
  return {
    aliasStart: assumed.trait('aliasStart', aliasStartShown(image, symbols), {
      rule: byRelease(release, 'alias-from-text') ? '_text' : '_stext',
      others: ['_text', '_stext'],
      says: (start) => `${alias} begins at ${start}`,
      why: `${alias} addresses neither _text nor _stext`,
    }),
    kernelDirty: assumed.trait('kernelDirty', kernelDirtyShown(image, symbols), {
      rule: byRelease(release, 'kernel-pages-dirty'),
      others: [true, false],
      says: (dirty) => `PAGE_KERNEL ${dirty ? 'carries' : 'does not carry'} PTE_DIRTY`,
      why: `${alias} does not load the bits of PAGE_KERNEL_RO`,
    }),
    presentInvalid: assumed.trait('presentInvalid', presentInvalidShown(image, symbols), {
      rule: byRelease(release, 'invalid-stays-present'),
      others: [true, false],
      says: (kept) =>
        `what becomes invalid ${kept ? 'keeps' : 'does not keep'} PTE_PRESENT_INVALID`,
      why: 'set_direct_map_invalid_noflush() loads no set_mask that is known',
    }),
    mapsWholePagesOnly: assumed.trait(
      'mapsWholePagesOnly',
      mapsWholePagesShown(image, symbols, granule),
      {
        rule: byRelease(release, 'whole-pages-only'),
        others: [true, false],
        says: (only) => `map_mem() ${only ? 'leaves out' : 'maps'} pages that are memory in part`,
        why: 'neither map_mem() nor paging_init() walks memblock',
      },
    ),
    dataAlias: dataAliasOf(image, symbols, release, assumed),
  };
}

/** Traits that leave no trace in an Image. */
function releaseTraits(release: Release) {
  return {
    mapsKernelFirst: byRelease(release, 'kernel-alias-first'),
    keepsTables: byRelease(release, 'existing-tables-kept'),
    keepsSingleLeaves: byRelease(release, 'single-leaves-kept'),
    contiguousMayChange: byRelease(release, 'contiguous-may-change'),
    protectsContiguously: byRelease(release, 'contiguous-protection'),
    tableAccessFlag: byRelease(release, 'table-access-flag'),
    aliasOfWholeArea: !byRelease(release, 'alias-of-the-part'),
  };
}

/** What an Image shows about its kernel. */
export interface KernelDescription {
  traits: KernelTraits;
  /** What the Image does not show, each with the rule used in the traits and the alternatives. */
  assumptions: Assumption[];
  /**
   * What cannot be determined and has no alternative to try, as ends of a sentence: 'its release:
   * …'.
   */
  notKnown: string[];
}

/**
 * Traits of a kernel. A trait with a symbol, an option or a trace in the code is read from the
 * Image, since stable updates carry backports. A trait that leaves no trace is decided by the
 * release. So is a trait that this Image does not show, with a note.
 * @param image the whole Image
 * @throws PtdiffError(image) for anything but an arm64 Image with a complete symbol table
 */
export function traitsOf(
  releaseText: string,
  image: Uint8Array,
  symbols: SymbolTable,
): KernelDescription {
  const assumed = new Assumptions();
  const notKnown: string[] = [];
  const release = ruleRelease(releaseText, notKnown);
  const config = kernelConfigOf(image, symbols, assumed);
  const capabilities = cpuCapabilities(image, symbols);
  const traits: KernelTraits = {
    release,
    ...generationOf(release, notKnown),
    geometry: geometryOf(config.granule),
    config,
    // arch_parse_debug_rodata() in arch/arm64/include/asm/setup.h of 6.17 and 6.18.
    rodataFullSpelling: byRelease(release, 'rodata-on-is-full') ? 'on' : 'full',
    ...bbmlOf(symbols, release, assumed),
    ...symbolTraits(symbols, release, config, assumed),
    ...codeTraits(image, symbols, release, config, assumed),
    rsiBeforePagingInit: rsiBeforePagingInit(image, symbols, assumed),
    ...releaseTraits(release),
    brokenDbm: config.hwAfdbm ? brokenDbmOf(image, symbols, assumed) : [],
    ...(capabilities && { cpuCapabilities: capabilities }),
    builtInDrivers: Object.entries(driverFunctions).flatMap(([device, functions]) =>
      has(symbols, functions) ? [device] : [],
    ),
  };
  return { traits, assumptions: assumed.list, notKnown };
}
