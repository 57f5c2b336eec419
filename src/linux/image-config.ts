// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { Granule } from '../vmsa/types.ts';
import type { Assumptions } from './assumptions.ts';
import { moveConstants } from './code-constants.ts';
import { imageHeader } from './image-header.ts';
import type { KernelConfig } from './kernel-config.ts';
import type { SymbolTable } from './symbol-table.ts';

/**
 * Size of the module region below the kernel image, MODULES_VSIZE of
 * arch/arm64/include/asm/memory.h.
 */
const MODULES_VSIZE = 2n ** 31n;

/**
 * KIMAGE_VADDR is _PAGE_END(VA_BITS_MIN) + MODULES_VSIZE, so the link address of _text gives
 * VA_BITS_MIN.
 */
function vaBitsOfLinkAddress(textBase: bigint): number {
  return (2n ** 64n - (textBase - MODULES_VSIZE)).toString(2).length;
}

const bufferOf = (image: Uint8Array): Buffer =>
  Buffer.from(image.buffer, image.byteOffset, image.byteLength);

/** Whether the Image contains a text, such as a description that the kernel prints at boot. */
function holdsText(image: Uint8Array, text: string): boolean {
  return bufferOf(image).includes(text);
}

/** Whether the Image contains a text as a whole string of C, and not as a part of another. */
function holdsString(image: Uint8Array, text: string): boolean {
  const bytes = bufferOf(image);
  // The zero before it is looked at last: an Image is full of zeros, and each would slow the search.
  const next = (from: number): number => bytes.indexOf(`${text}\0`, from);
  let at = next(0);
  while (at >= 0 && bytes[at - 1] !== 0) at = next(at + 1);
  return at >= 0;
}

/**
 * CONFIG_ARM64_VA_BITS and CONFIG_ARM64_PA_BITS. With 4K and 16K pages, 52-bit virtual addresses,
 * 52-bit physical ones and LPA2 come together (arch/arm64/Kconfig, ARM64_LPA2). With 64K pages each
 * is an option of its own: ARM64_HAS_VA52 is described in arch/arm64/kernel/cpufeature.c, and
 * tcr_compute_pa_size in __cpu_setup() loads ID_AA64MMFR0_EL1_PARANGE_MAX, 6 for 52 bits and 5 for
 * 48.
 */
function addressBits(
  granule: Granule,
  image: Uint8Array,
  symbols: SymbolTable,
  assumed: Assumptions,
): [va: number, pa: number] {
  const linked = vaBitsOfLinkAddress(symbols.textBase);
  if (granule !== 65536) {
    const lpa2 =
      has(symbols, ['__pi_set_ttbr0_for_lpa2']) ||
      holdsText(image, '52-bit Virtual Addressing (LPA2)');
    return lpa2 ? [52, 52] : [linked, 48];
  }
  const vaBits = holdsText(image, '52-bit Virtual Addressing (LVA)') ? 52 : linked;
  const constants = moveConstants(image, symbols, '__cpu_setup') ?? [];
  const paRangeMax = [6, 5].find((most) =>
    constants.some(({ kind, value }) => kind === 'movz' && value === BigInt(most)),
  );
  const paBits = assumed.option('paBits', paRangeMax && (paRangeMax === 6 ? 52 : 48), {
    rule: vaBits === 52 ? 52 : 48,
    others: [52, 48],
    says: (bits) => `CONFIG_ARM64_PA_BITS is ${bits}`,
    why: '__cpu_setup() does not show how wide physical addresses are',
  });
  return [vaBits, paBits];
}

/**
 * kfence_init_enable() prints KFENCE_POOL_SIZE and CONFIG_KFENCE_NUM_OBJECTS; the size is 2 *
 * (objects + 1) pages.
 */
function kfenceNumObjectsOf(
  image: Uint8Array,
  symbols: SymbolTable,
  granule: Granule,
  assumed: Assumptions,
): number {
  const values = (moveConstants(image, symbols, 'kfence_init_enable') ?? []).map(({ value }) =>
    Number(value),
  );
  const shown = values.find((count) => count > 0 && values.includes(2 * (count + 1) * granule));
  return assumed.option('kfenceNumObjects', shown, {
    rule: 255,
    others: [63, 127, 511],
    says: (objects) => `CONFIG_KFENCE_NUM_OBJECTS is ${objects}`,
    why: 'kfence_init_enable() does not show how large the KFENCE pool is',
  });
}

/** Whether a variable is initially nonzero; undefined when this kernel has no such variable. */
function initialFlag(image: Uint8Array, symbols: SymbolTable, name: string): boolean | undefined {
  const address = symbols.address(name);
  return address === undefined ? undefined : (image[Number(address - symbols.textBase)] ?? 0) !== 0;
}

/** The doubt about a default whose variable does not show it. */
function flagDoubt(option: string, rule: boolean, variable: string) {
  const says = (set: boolean): string => `${option} is ${set ? 'set' : 'not set'}`;
  return { rule, others: [!rule], says, why: `it has no variable ${variable}` };
}

/** Whether any of several symbols exists, by its name or by a compiler's variant of it. */
export function has(symbols: SymbolTable, names: readonly string[]): boolean {
  return names.some((name) => symbols.codeName(name) !== undefined);
}

/**
 * Symbols of each option. The Image has them exactly when the option is on; several, since a rename
 * or inlining may hide one.
 */
const signs = {
  kfence: ['__kfence_pool', 'kfence_init', '__kfence_alloc'],
  strictKernelRwx: ['mark_rodata_ro', 'rodata_enabled'],
  debugPagealloc: ['_debug_pagealloc_enabled', '__kernel_map_pages'],
  crashReserve: ['crashk_res', 'reserve_crashkernel_generic', 'parse_crashkernel'],
  hotplugCpu: ['cpu_device_down', 'takedown_cpu', '_cpu_down'],
  randomizeBase: ['kaslr_init', '__pi_kaslr_early_init'],
  unmapKernelAtEl0: ['tramp_pg_dir', 'tramp_vectors', 'idmap_kpti_install_ng_mappings'],
  e0pd: ['cpu_enable_e0pd'],
  hwAfdbm: ['cpu_enable_hw_dbm', 'has_hw_dbm'],
  mte: ['mte_cpu_setup', 'cpu_enable_mte'],
  secretmem: ['secretmem_active', 'secretmem_fault'],
} as const;

/**
 * Reads the options from a kernel Image.
 * @param assumed receives what the Image does not show
 * @throws PtdiffError(image) for anything but an arm64 Image with a complete symbol table
 */
export function kernelConfigOf(
  image: Uint8Array,
  symbols: SymbolTable,
  assumed: Assumptions,
): KernelConfig {
  const granule = imageHeader(image)?.granule;
  if (granule === undefined)
    throw new PtdiffError(
      'image',
      'The Image header does not specify a page size; this is not an arm64 Image.',
    );
  if (!symbols.has('__bss_stop'))
    throw new PtdiffError(
      'image',
      'The kernel has no symbol __bss_stop; it needs CONFIG_KALLSYMS_ALL.',
    );
  const [vaBits, paBits] = addressBits(granule, image, symbols, assumed);
  const flags = Object.fromEntries(
    Object.entries(signs).map(([option, names]) => [option, has(symbols, names)]),
  ) as Record<keyof typeof signs, boolean>;
  const setup = moveConstants(image, symbols, '__cpu_setup');
  const flag = (name: string): boolean | undefined => initialFlag(image, symbols, name);
  return {
    granule,
    vaBits,
    paBits,
    lpa2: granule !== 65536 && vaBits === 52,
    ...flags,
    // The kernel prints its description at boot.
    e0pd: flags.e0pd || holdsString(image, 'E0PD'),
    kfenceEarlyInit:
      flags.kfence &&
      assumed.option(
        'kfenceEarlyInit',
        flag('kfence_early_init'),
        flagDoubt('CONFIG_KFENCE_SAMPLE_INTERVAL', true, 'kfence_early_init'),
      ),
    kfenceNumObjects: flags.kfence ? kfenceNumObjectsOf(image, symbols, granule, assumed) : 0,
    rodataFull: assumed.option(
      'rodataFull',
      flag('rodata_full'),
      flagDoubt('CONFIG_RODATA_FULL_DEFAULT_ENABLED', true, 'rodata_full'),
    ),
    debugPageallocDefault:
      flags.debugPagealloc &&
      assumed.option(
        'debugPageallocDefault',
        flag('_debug_pagealloc_enabled_early'),
        flagDoubt('CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT', false, '_debug_pagealloc_enabled_early'),
      ),
    // The capability has no function of its own, but the kernel prints its description at boot.
    haft: holdsText(image, 'Hardware managed Access Flag for Table Descriptors'),
    // tcr_clear_errata_bits compares with the upper half of the A64FX's MIDR.
    fujitsuErratum010001: assumed.option(
      'fujitsuErratum010001',
      setup?.some(({ value }) => value === 0x460f0000n),
      {
        rule: true,
        others: [false],
        says: (set) => `CONFIG_FUJITSU_ERRATUM_010001 is ${set ? 'set' : 'not set'}`,
        why: 'it has no __cpu_setup()',
      },
    ),
  };
}
