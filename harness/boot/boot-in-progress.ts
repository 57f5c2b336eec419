// SPDX-License-Identifier: GPL-2.0-only
import { type CheckpointName, checkpointsOf, type Evidence } from '../../src/evidence/capture.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import { Breakpoints } from './breakpoints.ts';
import type { RunningKernel } from './capture-checkpoint.ts';
import type { CaseSetup } from './case-setup.ts';
import { type StopPlan, unseenOf } from './checkpoints.ts';
import type { ImageAnchor } from './image-anchor.ts';

/** A boot that is being observed: state shared by the modules that record parts of it. */
export interface BootInProgress {
  vm: VirtualMachine;
  kernel: RunningKernel;
  breakpoints: Breakpoints;
  evidence: Evidence;
  /** Whether smp_cpus_done() was reached; watched in a realm only, where it matters. */
  capabilitiesFinal: boolean;
  /** The next checkpoint; undefined after the last, since none shows what happens then. */
  nextCheckpoint(): CheckpointName | undefined;
}

/**
 * A boot before any observation, with its planned checkpoints. Its evidence lists what cannot be
 * observed in this kernel, with the reason.
 */
export function beginObservation(
  setup: CaseSetup,
  vm: VirtualMachine,
  anchor: ImageAnchor,
  plan: StopPlan,
): { boot: Omit<BootInProgress, 'nextCheckpoint'>; planned: CheckpointName[] } {
  const { symbols, vmemmap, machine } = setup;
  const maySplit = ['linear_map_requires_bbml3', 'linear_map_requires_bbml2'].some((name) =>
    symbols.has(name),
  );
  const wanted = {
    repaint: maySplit,
    splits: maySplit,
    sharing: machine.world === 'realm',
    kpti: symbols.has('_debug_pagealloc_enabled_early'),
  };
  const unseen = unseenOf(plan, wanted, anchor.split !== undefined);
  const evidence: Evidence = {
    captures: [],
    splitRequests: [],
    files: {},
    probes: [],
    console: '',
    end: { kind: 'completed' },
    image: { pa: anchor.imagePa, slide: 0n },
    idRegisters: [],
    ...(unseen.length > 0 && { unseen }),
  };
  const isSeen = (checkpoint: CheckpointName) => !unseen.some(({ what }) => what === checkpoint);
  return {
    boot: {
      vm,
      kernel: { symbols, slide: 0n, vmemmap },
      breakpoints: new Breakpoints(vm.gdb),
      evidence,
      capabilitiesFinal: true,
    },
    planned: checkpointsOf(maySplit || plan.maybeSplit !== undefined).filter(isSeen),
  };
}
