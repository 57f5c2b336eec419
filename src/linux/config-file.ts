// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { Assumption } from './assumptions.ts';
import type { KernelConfig } from './kernel-config.ts';

/** Members of KernelConfig that correspond to a single option of a .config. */
const optionNames = {
  vaBits: 'CONFIG_ARM64_VA_BITS',
  paBits: 'CONFIG_ARM64_PA_BITS',
  kfence: 'CONFIG_KFENCE',
  debugPagealloc: 'CONFIG_DEBUG_PAGEALLOC',
  debugPageallocDefault: 'CONFIG_DEBUG_PAGEALLOC_ENABLE_DEFAULT',
  crashReserve: 'CONFIG_CRASH_RESERVE',
  hotplugCpu: 'CONFIG_HOTPLUG_CPU',
  randomizeBase: 'CONFIG_RANDOMIZE_BASE',
  unmapKernelAtEl0: 'CONFIG_UNMAP_KERNEL_AT_EL0',
  e0pd: 'CONFIG_ARM64_E0PD',
  hwAfdbm: 'CONFIG_ARM64_HW_AFDBM',
  haft: 'CONFIG_ARM64_HAFT',
  mte: 'CONFIG_ARM64_MTE',
  fujitsuErratum010001: 'CONFIG_FUJITSU_ERRATUM_010001',
  secretmem: 'CONFIG_SECRETMEM',
} as const satisfies Partial<Record<keyof KernelConfig, string>>;

type NamedOption = keyof typeof optionNames;

/** A value in the form that a .config uses. */
function written(value: number | boolean): string {
  return typeof value === 'number' ? String(value) : value ? 'y' : 'n';
}

/** Options in which the Image and a .config differ, with the file's value. */
function differing(
  shown: KernelConfig,
  file: ReadonlyMap<string, string>,
): { key: NamedOption; said: string }[] {
  return (Object.keys(optionNames) as NamedOption[]).flatMap((key) => {
    const said = file.get(optionNames[key]) ?? 'n';
    return said === written(shown[key]) ? [] : [{ key, said }];
  });
}

/** What a .config says about the options that an Image may not show. */
function openOptions(file: ReadonlyMap<string, string>): Partial<KernelConfig> {
  const objects = file.get('CONFIG_KFENCE_NUM_OBJECTS');
  const interval = file.get('CONFIG_KFENCE_SAMPLE_INTERVAL');
  return {
    paBits: Number(file.get(optionNames.paBits)),
    ...(objects !== undefined && { kfenceNumObjects: Number(objects) }),
    ...(interval !== undefined && { kfenceEarlyInit: Number(interval) !== 0 }),
    rodataFull: file.get('CONFIG_RODATA_FULL_DEFAULT_ENABLED') === 'y',
    debugPageallocDefault: file.get(optionNames.debugPageallocDefault) === 'y',
    fujitsuErratum010001: file.get(optionNames.fujitsuErratum010001) === 'y',
  };
}

/** Takes what the Image does not show from the configuration it was built with. */
export function settleByFile(
  config: KernelConfig,
  assumptions: readonly Assumption[],
  file: ReadonlyMap<string, string>,
): { config: KernelConfig; assumptions: Assumption[] } {
  const said = openOptions(file);
  const open = assumptions.map(({ trait }) => trait);
  const settled = Object.entries(said).filter(([key]) => open.includes(key));
  return {
    config: { ...config, ...Object.fromEntries(settled) },
    assumptions: assumptions.filter(({ trait }) => !settled.some(([key]) => key === trait)),
  };
}

/**
 * Checks that an Image and a .config agree: a .config that contradicts the Image belongs to another
 * build.
 * @throws PtdiffError(image) that names the first option in which they differ
 */
export function checkConfigFile(shown: KernelConfig, file: ReadonlyMap<string, string>): void {
  const [first] = differing(shown, file);
  if (first === undefined) return;
  const reason = `it says ${optionNames[first.key]}=${first.said}, but the Image shows ${written(shown[first.key])}`;
  throw new PtdiffError(
    'image',
    `The configuration does not belong to this kernel: ${reason}; name the file of the same build.`,
  );
}

/**
 * Corrects the options by a .config that came with the Image. Where the code differs from every
 * kernel that was read so far, the file is right.
 * @returns what the Image seemed to say instead, each as the end of a sentence
 */
export function correctByFile(
  shown: KernelConfig,
  file: ReadonlyMap<string, string>,
): { config: KernelConfig; notKnown: string[] } {
  const differences = differing(shown, file);
  const changes = differences.map(({ key, said }) => [
    key,
    typeof shown[key] === 'number' ? Number(said) : said === 'y',
  ]);
  const config: KernelConfig = { ...shown, ...Object.fromEntries(changes) };
  return {
    config: { ...config, lpa2: config.granule !== 65536 && config.vaBits === 52 },
    notKnown: differences.map(
      ({ key, said }) =>
        `${optionNames[key]} by its code, which looks like ${written(shown[key])}: its configuration says ${said}`,
    ),
  };
}
