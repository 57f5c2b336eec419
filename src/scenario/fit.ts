// SPDX-License-Identifier: GPL-2.0-only
import { valuesOf } from '../linux/cmdline.ts';
import { linearRange } from '../linux/kernel-layout.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { first } from '../present.ts';
import { identitiesOf } from './cpus.ts';
import { loadPlaces, usualSizes } from './load-places.ts';
import { ramRanges } from './memory.ts';
import { asksForCpus, type Machine, type Scenario } from './types.ts';

/** What some scenarios require of a kernel. */
export type FittingTraits = Pick<KernelTraits, 'knowsRealms' | 'geometry' | 'builtInDrivers'> & {
  /** Whether modules of the kernel are available. */
  hasModules?: boolean;
  /** Bytes of the Image, .bss included, where they are known. */
  imageBytes?: number;
  config: Pick<
    KernelTraits['config'],
    'debugPagealloc' | 'crashReserve' | 'hotplugCpu' | 'unmapKernelAtEl0' | 'vaBits'
  >;
};

/**
 * If its option is off, a kernel ignores a parameter and passes it on to init: the boot would not
 * show what the scenario is for.
 */
const sets =
  (parameter: string) =>
  ({ parameters }: Scenario): boolean =>
    valuesOf(parameters, parameter).length > 0;

/** Options that a kernel needs to do what some scenarios request. */
const options: {
  option: string;
  asked: (scenario: Scenario) => boolean;
  has: Exclude<keyof FittingTraits['config'], 'vaBits'>;
}[] = [
  { option: 'CONFIG_DEBUG_PAGEALLOC', asked: sets('debug_pagealloc'), has: 'debugPagealloc' },
  // Found by strstr(), whatever the text around it: src/linux/crashkernel.ts.
  {
    option: 'CONFIG_CRASH_RESERVE',
    asked: ({ parameters }) => parameters.some((word) => word.includes('crashkernel=')),
    has: 'crashReserve',
  },
  { option: 'CONFIG_UNMAP_KERNEL_AT_EL0', asked: sets('kpti'), has: 'unmapKernelAtEl0' },
  { option: 'CONFIG_HOTPLUG_CPU', asked: ({ probes }) => asksForCpus(probes), has: 'hotplugCpu' },
];

/** Why a kernel finds no place in a machine's memory, or one from which it cannot map the memory. */
function whyNotLoaded(machine: Machine, traits: FittingTraits): string | undefined {
  const { imageBytes: image = 0, config, geometry } = traits;
  const places = loadPlaces(machine, { ...usualSizes, image });
  if (!places)
    return `the memory has no piece without holes for a kernel of ${Math.ceil(image / 2 ** 20)} MiB`;
  // arm64_memblock_init() cuts off what lies higher, but for the kernel itself.
  const region = linearRange(config.vaBits, geometry);
  const bytes = Number(region.end - region.start);
  return places.image + image > first(ramRanges(machine)).start + bytes
    ? `its linear map of ${bytes / 2 ** 30} GiB does not reach from the start of memory to the first piece that holds it`
    : undefined;
}

/** Why a scenario cannot run on a kernel, as a part of a sentence; undefined where it can. */
export function whyUnfit(scenario: Scenario, traits: FittingTraits): string | undefined {
  const { machine } = scenario;
  if (machine.world === 'realm' && !traits.knowsRealms)
    return 'the kernel does not know realms, which came with 6.13';
  const missing = options.find(({ asked, has }) => asked(scenario) && !traits.config[has]);
  if (missing) return `the kernel is built without ${missing.option}`;
  const undriven = traits.hasModules
    ? undefined
    : machine.devices?.find((device) => !traits.builtInDrivers.includes(device));
  if (undriven)
    return `the kernel has no driver for ${undriven} built in, and its modules are not available`;
  const unloadable = whyNotLoaded(machine, traits);
  if (unloadable) return unloadable;
  const { granule } = traits.geometry;
  const cpu = identitiesOf(machine).find(({ granules }) => granules && !granules.includes(granule));
  return cpu && `the CPU ${cpu.name} has no pages of ${granule / 1024}K`;
}
