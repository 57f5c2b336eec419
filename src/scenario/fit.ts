import { valuesOf } from '../linux/cmdline.ts';
import type { KernelTraits } from '../linux/traits.ts';
import { identitiesOf } from './cpus.ts';
import type { Scenario } from './types.ts';

/** What a kernel must bring for some scenarios. */
export type FittingTraits = Pick<KernelTraits, 'knowsRealms' | 'geometry' | 'builtInDrivers'> & {
  /** Whether modules of the kernel are to be had. */
  hasModules?: boolean;
  config: Pick<KernelTraits['config'], 'debugPagealloc' | 'crashReserve' | 'hotplugCpu' | 'unmapKernelAtEl0'>;
};

/** Parameters that a kernel passes on to init unread when the option is off: the boot would show nothing of what the scenario is for. */
const options: { parameter: string; option: string; has: (traits: FittingTraits) => boolean }[] = [
  { parameter: 'debug_pagealloc', option: 'CONFIG_DEBUG_PAGEALLOC', has: ({ config }) => config.debugPagealloc },
  { parameter: 'crashkernel', option: 'CONFIG_CRASH_RESERVE', has: ({ config }) => config.crashReserve },
  { parameter: 'kpti', option: 'CONFIG_UNMAP_KERNEL_AT_EL0', has: ({ config }) => config.unmapKernelAtEl0 },
];

/** Why a scenario cannot be run on a kernel, as a part of a sentence; undefined where it can. */
export function whyUnfit({ machine, parameters, probes }: Scenario, traits: FittingTraits): string | undefined {
  if (machine.world === 'realm' && !traits.knowsRealms) return 'the kernel does not know realms, which came with 6.13';
  const missing = options.find(({ parameter, has }) => valuesOf(parameters, parameter).length > 0 && !has(traits));
  if (missing) return `the kernel is built without ${missing.option}`;
  const hotplug = probes.find((probe) => probe === 'cpu_online' || probe === 'cpu_hotplug');
  if (hotplug && !traits.config.hotplugCpu) return 'the kernel is built without CONFIG_HOTPLUG_CPU';
  const undriven = traits.hasModules
    ? undefined
    : machine.devices?.find((device) => !traits.builtInDrivers.includes(device));
  if (undriven) return `the kernel has no driver for ${undriven} built in, and its modules are not to be had`;
  const { granule } = traits.geometry;
  const cpu = identitiesOf(machine).find(({ granules }) => granules && !granules.includes(granule));
  return cpu && `the CPU ${cpu.name} has no pages of ${granule / 1024}K`;
}
