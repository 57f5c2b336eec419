import { PtdiffError } from '../errors.ts';
import type { Granule } from '../vmsa/types.ts';
import { moveConstants } from './code-constants.ts';
import { imageHeader } from './image-header.ts';
import type { SymbolTable } from './symbol-table.ts';

/**
 * The options that the linear map depends on, as the Image itself shows them. A configuration file is not needed: not every package of an
 * old kernel is still to be had, and a file can be the wrong one.
 */
export interface KernelConfig {
  granule: Granule;
  /** CONFIG_ARM64_VA_BITS and CONFIG_ARM64_PA_BITS. */
  vaBits: number;
  paBits: number;
  lpa2: boolean;
  kfence: boolean;
  /** CONFIG_KFENCE_SAMPLE_INTERVAL is not 0. */
  kfenceEarlyInit: boolean;
  kfenceNumObjects: number;
  /** Initial value of rodata_full. */
  rodataFull: boolean;
  strictKernelRwx: boolean;
  debugPagealloc: boolean;
  /** CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT. */
  debugPageallocDefault: boolean;
  /** CONFIG_CRASH_RESERVE: crashkernel= reserves memory. */
  crashReserve: boolean;
  hotplugCpu: boolean;
  randomizeBase: boolean;
  unmapKernelAtEl0: boolean;
  e0pd: boolean;
  hwAfdbm: boolean;
  haft: boolean;
  mte: boolean;
  /** CONFIG_FUJITSU_ERRATUM_010001. */
  fujitsuErratum010001: boolean;
  secretmem: boolean;
}

/** Size of the module region below the kernel image, MODULES_VSIZE of arch/arm64/include/asm/memory.h. */
const MODULES_VSIZE = 2n ** 31n;

/** KIMAGE_VADDR is _PAGE_END(VA_BITS_MIN) + MODULES_VSIZE: the link address of _text gives VA_BITS_MIN away. */
function vaBitsOfLinkAddress(textBase: bigint): number {
  return (2n ** 64n - (textBase - MODULES_VSIZE)).toString(2).length;
}

/** Whether the Image holds a text, as a description that the kernel prints at boot. */
function holdsText(image: Uint8Array, text: string): boolean {
  return Buffer.from(image.buffer, image.byteOffset, image.byteLength).includes(text);
}

/**
 * CONFIG_ARM64_VA_BITS and CONFIG_ARM64_PA_BITS. With 4K and 16K pages, 52-bit virtual addresses, 52-bit physical ones and LPA2 come together
 * (arch/arm64/Kconfig, ARM64_LPA2). With 64K pages both are choices of their own: ARM64_HAS_VA52 is described in
 * arch/arm64/kernel/cpufeature.c, and tcr_compute_pa_size in __cpu_setup() loads ID_AA64MMFR0_EL1_PARANGE_MAX, 6 for 52 bits and 5 for 48.
 */
function addressBits(granule: Granule, image: Uint8Array, symbols: SymbolTable): [va: number, pa: number] {
  const linked = vaBitsOfLinkAddress(symbols.textBase);
  if (granule !== 65536) return symbols.has('__pi_set_ttbr0_for_lpa2') ? [52, 52] : [linked, 48];
  const constants = moveConstants(image, symbols, '__cpu_setup') ?? [];
  const paRangeMax = [6, 5].find((most) =>
    constants.some(({ kind, value }) => kind === 'movz' && value === BigInt(most)),
  );
  if (paRangeMax === undefined) {
    throw new PtdiffError(
      'image',
      'Cannot tell from __cpu_setup() how wide physical addresses are; this kernel needs a newer ptdiff.',
    );
  }
  return [holdsText(image, '52-bit Virtual Addressing (LVA)') ? 52 : linked, paRangeMax === 6 ? 52 : 48];
}

/** kfence_init_enable() prints KFENCE_POOL_SIZE and CONFIG_KFENCE_NUM_OBJECTS; the size is 2 * (objects + 1) pages. */
function kfenceNumObjectsOf(image: Uint8Array, symbols: SymbolTable, granule: Granule): number {
  const values = (moveConstants(image, symbols, 'kfence_init_enable') ?? []).map(({ value }) => Number(value));
  const objects = values.find((count) => count > 0 && values.includes(2 * (count + 1) * granule));
  if (objects !== undefined) return objects;
  throw new PtdiffError(
    'image',
    'Cannot tell from kfence_init_enable() how large the KFENCE pool is; this kernel needs a newer ptdiff.',
  );
}

/** One byte of initialised data. */
function initialByte(image: Uint8Array, symbols: SymbolTable, name: string): number {
  const address = symbols.address(name);
  if (address === undefined)
    throw new PtdiffError('image', `The kernel has no symbol ${name}; it needs CONFIG_KALLSYMS_ALL.`);
  return image[Number(address - symbols.textBase)] ?? 0;
}

/** The options of a KernelConfig that have a name of their own, with the values that a .config has for them. */
function optionsOf(config: KernelConfig): Record<string, string> {
  const flag = (set: boolean): string => (set ? 'y' : 'n');
  return {
    CONFIG_ARM64_VA_BITS: String(config.vaBits),
    CONFIG_ARM64_PA_BITS: String(config.paBits),
    CONFIG_KFENCE: flag(config.kfence),
    CONFIG_DEBUG_PAGEALLOC: flag(config.debugPagealloc),
    CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT: flag(config.debugPageallocDefault),
    CONFIG_CRASH_RESERVE: flag(config.crashReserve),
    CONFIG_HOTPLUG_CPU: flag(config.hotplugCpu),
    CONFIG_RANDOMIZE_BASE: flag(config.randomizeBase),
    CONFIG_UNMAP_KERNEL_AT_EL0: flag(config.unmapKernelAtEl0),
    CONFIG_ARM64_E0PD: flag(config.e0pd),
    CONFIG_ARM64_HW_AFDBM: flag(config.hwAfdbm),
    CONFIG_ARM64_HAFT: flag(config.haft),
    CONFIG_ARM64_MTE: flag(config.mte),
    CONFIG_FUJITSU_ERRATUM_010001: flag(config.fujitsuErratum010001),
    CONFIG_SECRETMEM: flag(config.secretmem),
  };
}

/**
 * Two witnesses of one kernel: a .config that says otherwise than the Image is of another build.
 * @throws PtdiffError(image) that names the first option in which they differ
 */
export function checkConfigFile(shown: KernelConfig, file: ReadonlyMap<string, string>): void {
  for (const [option, value] of Object.entries(optionsOf(shown))) {
    const said = file.get(option) ?? 'n';
    if (said !== value) {
      const reason = `it says ${option}=${said}, but the Image shows ${value}`;
      throw new PtdiffError(
        'image',
        `The configuration is not of this kernel: ${reason}; name the file of the same build.`,
      );
    }
  }
}

/**
 * Reads the options from a kernel Image.
 * @throws PtdiffError(image) for an Image that does not show them
 */
export function kernelConfigOf(image: Uint8Array, symbols: SymbolTable): KernelConfig {
  const granule = imageHeader(image)?.granule;
  if (granule === undefined)
    throw new PtdiffError('image', 'The Image header does not name a page size; this is no arm64 Image.');
  const [vaBits, paBits] = addressBits(granule, image, symbols);
  const kfence = symbols.has('__kfence_pool');
  return {
    granule,
    vaBits,
    paBits,
    lpa2: granule !== 65536 && vaBits === 52,
    kfence,
    kfenceEarlyInit: kfence && initialByte(image, symbols, 'kfence_early_init') !== 0,
    kfenceNumObjects: kfence ? kfenceNumObjectsOf(image, symbols, granule) : 0,
    rodataFull: initialByte(image, symbols, 'rodata_full') !== 0,
    strictKernelRwx: symbols.has('mark_rodata_ro'),
    debugPagealloc: symbols.has('_debug_pagealloc_enabled'),
    debugPageallocDefault:
      symbols.has('_debug_pagealloc_enabled') && initialByte(image, symbols, '_debug_pagealloc_enabled_early') !== 0,
    crashReserve: symbols.has('crashk_res'),
    hotplugCpu: symbols.has('cpu_device_down'),
    randomizeBase: symbols.has('kaslr_init'),
    unmapKernelAtEl0: symbols.has('tramp_pg_dir'),
    e0pd: symbols.has('cpu_enable_e0pd'),
    hwAfdbm: symbols.has('cpu_enable_hw_dbm'),
    // The capability has no function of its own, but its description is printed at boot.
    haft: holdsText(image, 'Hardware managed Access Flag for Table Descriptors'),
    mte: symbols.has('mte_cpu_setup'),
    // tcr_clear_errata_bits compares with the upper half of the A64FX's MIDR.
    fujitsuErratum010001: (moveConstants(image, symbols, '__cpu_setup') ?? []).some(
      ({ value }) => value === 0x460f0000n,
    ),
    secretmem: symbols.has('secretmem_active'),
  };
}
