// SPDX-License-Identifier: GPL-2.0-only
import { valuesOf } from '../linux/cmdline.ts';
import type { KernelTraits } from '../linux/kernel-traits.ts';
import { identitiesOf } from './cpus.ts';
import { loadPlaces, usualSizes } from './load-places.ts';
import { asksForCpus, type Scenario } from './types.ts';

/** What some scenarios require of a kernel. */
export type FittingTraits = Pick<KernelTraits, 'knowsRealms' | 'geometry' | 'builtInDrivers'> & {
  /** Whether modules of the kernel are available. */
  hasModules?: boolean;
  /** Bytes of the Image, .bss included, where they are known. */
  imageBytes?: number;
  config: Pick<
    KernelTraits['config'],
    'debugPagealloc' | 'crashReserve' | 'hotplugCpu' | 'unmapKernelAtEl0'
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
  has: keyof FittingTraits['config'];
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
  const { imageBytes: image = 0 } = traits;
  if (!loadPlaces(machine, { ...usualSizes, image }))
    return `the memory has no piece without holes for a kernel of ${Math.ceil(image / 2 ** 20)} MiB`;
  const { granule } = traits.geometry;
  const cpu = identitiesOf(machine).find(({ granules }) => granules && !granules.includes(granule));
  return cpu && `the CPU ${cpu.name} has no pages of ${granule / 1024}K`;
}
