// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';
import type { BootFacts } from '../evidence/boot-facts.ts';
import { type DeviceName, deviceNames } from '../scenario/devices.ts';
import {
  type ExerciseName,
  exerciseNames,
  type Machine,
  type ProbeName,
  probeNames,
} from '../scenario/types.ts';
import type { BootState } from './boot-state.ts';
import type { CpuOutcome } from './cpu-outcome.ts';
import { memfd_secret, secretmem_enable } from './mm/secretmem.ts';
import { refusesPages } from './refuses-pages.ts';
import type { ProbePrediction } from './types.ts';

const ENOENT = 2;
const EIO = 5;
const ENODEV = 19;
const ENOSYS = 38;

interface ProbeQuestion {
  machine: Machine;
  probes: readonly string[];
  parameters: readonly string[];
  facts: Pick<BootFacts, 'probePages'>;
  hasBpf?: boolean;
}

type Outcome = Omit<ProbePrediction, 'probe'>;

/** What each probe of the guest's init should find: the errno of the first call that fails. */
export function probePredictions(
  { machine, probes, parameters, facts, hasBpf = false }: ProbeQuestion,
  state: BootState,
): ProbePrediction[] {
  const { cpus } = state;
  const outcomeOf = (probe: KnownProbe): Outcome => {
    switch (probe) {
      case 'modules':
        return { errno: 0, why: 'the kernel loads the modules that were built with it' };
      case 'memfd_secret':
        return memfd_secret(
          state,
          secretmem_enable(parameters, state.traits.release),
          facts.probePages,
        );
      case 'cpu_online':
      case 'cpu_hotplug':
        return cpuOnlineOutcome(machine, cpus);
      case 'virtio-console':
      case 'virtio-blk':
      case 'virtio-rng':
      case 'virtio-net':
        return deviceOutcome(probe, state);
      case 'user_tables':
        return { errno: 0, why: 'every kernel has mmap() and what changes a mapping' };
      case 'migration':
        return { errno: 0, why: 'init may run on every CPU that is online' };
      case 'together':
        return { errno: 0, why: 'each CPU may do so by itself' };
      case 'bpf':
        return hasBpf
          ? { errno: 0, why: 'init may load any program (bpf_prog_load(), kernel/bpf/syscall.c)' }
          : { errno: ENOSYS, why: 'CONFIG_BPF_SYSCALL is off' };
      case 'vmalloc':
        return { errno: 0, why: 'what is no module is refused, whatever the kernel' };
      case 'module':
        return { errno: 0, why: 'a module that nobody uses can be removed, and loaded again' };
      case 'secret_release':
        return { errno: 0, why: 'what memfd_secret() gave can be unmapped' };
      default:
        return unknownProbe(probe);
    }
  };
  return probes.map((probe) => ({ probe, ...outcomeOf(knownProbe(probe)) }));
}

/**
 * What init may be asked to run: a scenario's probes, its devices, the drivers that these need, and
 * what it does besides where the boot is recorded.
 */
type KnownProbe = ProbeName | DeviceName | 'modules' | ExerciseName;
const knownProbes: readonly KnownProbe[] = [
  ...probeNames,
  ...deviceNames,
  ...exerciseNames,
  'modules',
];

/** @throws PtdiffError(harness) for a name that is not a probe */
function knownProbe(probe: string): KnownProbe {
  return knownProbes.find((name) => name === probe) ?? unknownProbe(probe as never);
}

/** If the compiler knows a probe and the switch does not, this call does not compile. */
function unknownProbe(probe: never): never {
  throw new PtdiffError(
    'harness',
    `The model does not know the probe ${JSON.stringify(probe)}; it knows ${knownProbes.join(', ')}.`,
  );
}

/**
 * Writing 1 (cpu_hotplug: 0, then 1) to /sys/devices/system/cpu/cpuN/online of every CPU after the
 * first: __cpu_up(), arch/arm64/kernel/smp.c; a CPU may always go offline.
 */
function cpuOnlineOutcome({ cpus }: Machine, { refused }: CpuOutcome): Outcome {
  if (cpus === 1) return { errno: ENOENT, why: 'there is no second CPU' };
  if (refused.length > 0)
    return { errno: EIO, why: `CPU${refused[0]} is refused, so __cpu_up() gives up` };
  return { errno: 0, why: 'every CPU may come online' };
}

/** What a user of a device sees if its driver got no memory for the device's queues. */
const withoutDriver: Record<DeviceName, number> = {
  'virtio-console': ENOENT,
  'virtio-blk': ENOENT,
  'virtio-rng': ENODEV,
  'virtio-net': ENODEV,
};

/**
 * In a realm, dma_direct_alloc() (kernel/dma/direct.c) shares the memory of a queue with the host.
 */
function deviceOutcome(device: DeviceName, state: BootState): Outcome {
  return state.decisions.realm && refusesPages(state)
    ? {
        device,
        errno: withoutDriver[device],
        why: 'a page of a block cannot be shared: the driver gets no queue',
      }
    : { device, errno: 0, why: 'the driver and the device find the same memory' };
}
