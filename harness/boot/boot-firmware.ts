// SPDX-License-Identifier: GPL-2.0-only
import type { Evidence } from '../../src/evidence/capture.ts';
import { RAM_BASE } from '../../src/scenario/memory.ts';
import type { QemuMachine } from '../emulator/qemu-command.ts';
import { withMachine } from '../emulator/virtual-machine.ts';
import { requireCommandLine } from './boot.ts';
import type { WatchdogLimits } from './case-setup.ts';
import { findRecords } from './find-records.ts';
import { GuestRunner } from './guest-runner.ts';
import { defaultLimits, Watchdog } from './watchdog.ts';

/**
 * What ptdiff can learn about a boot whose kernel runs below software that ptdiff does not know.
 */
export interface FirmwareBoot
  extends Pick<Evidence, 'console' | 'files' | 'probes' | 'guestProblems'> {
  /** Why the machine stopped, as the end of a sentence. */
  end: string;
  /** Whether init's records were found in RAM. */
  recordsFound: boolean;
}

/** A machine with a flash image that may bring its own kernel. */
type FirmwareMachine = Omit<QemuMachine, 'image' | 'initramfs' | 'commandLine'> &
  Partial<Pick<QemuMachine, 'image' | 'initramfs' | 'commandLine'>>;

/** Nothing stops such a boot on its way, so only its output shows progress. */
const firmwareLimits: WatchdogLimits = {
  ...defaultLimits,
  stalledSeconds: Number.POSITIVE_INFINITY,
};

/**
 * Boots a machine from the user's own flash image until it powers off, resets or makes no more
 * progress. The address of its kernel is not known, so there are no breakpoints and no walk of its
 * tables.
 * @throws PtdiffError for what is not the guest's fault; the signal's reason when it was aborted
 */
export async function bootFirmware(
  { image = '', initramfs = '', commandLine = '', ...rest }: FirmwareMachine,
  directory: string,
  signal: AbortSignal,
  limits: WatchdogLimits = firmwareLimits,
): Promise<FirmwareBoot> {
  requireCommandLine(commandLine);
  const machine: QemuMachine = { ...rest, image, initramfs, commandLine };
  return withMachine(machine, {}, { directory, signal }, async (vm) => {
    const runner = new GuestRunner(vm, new Watchdog(limits));
    try {
      const stop = await runner.run();
      vm.console.poll(limits.consoleBytes);
      const console = vm.console.text();
      const records = findRecords(vm.ram, RAM_BASE, machine.machine.memory * 2 ** 20, console);
      const end = 'reason' in stop ? stop.reason : stop.kind;
      return {
        end,
        console,
        files: {},
        probes: [],
        ...records,
        recordsFound: records !== undefined,
      };
    } finally {
      runner.close();
    }
  });
}
