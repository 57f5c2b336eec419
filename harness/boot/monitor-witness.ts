// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../../src/errors.ts';
import {
  decodeState,
  decodeView,
  type ReadMemory,
} from '../../src/evidence/decode-monitor-report.ts';
import type { MonitorView } from '../../src/evidence/monitor-report.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';

type Monitor = NonNullable<VirtualMachine['monitor']>;

/** Number of the newest aborts that a capture keeps. */
const maximumAborts = 256;

export const readerOf =
  ({ ram }: Monitor): ReadMemory =>
  (address, bytes) =>
    ram.read(address, bytes);

/** What the monitor has recorded so far, read from a stopped machine. */
export function viewOfMonitor(monitor: Monitor): MonitorView {
  const view = decodeView(readerOf(monitor), monitor.memory.start, maximumAborts);
  if (view === undefined) {
    throw new PtdiffError(
      'harness',
      'The realm monitor wrote no report: it did not find its parameters.',
    );
  }
  return view;
}

/** Whether the monitor could not continue; the machine may be running. */
export function monitorHasPanicked(monitor: Monitor): boolean {
  return decodeState(readerOf(monitor), monitor.memory.start)?.state === 'panic';
}

/**
 * @throws PtdiffError('harness') when the machine stopped because of the monitor, which is never
 * the kernel's fault
 */
export function throwMonitorPanic(monitor: Monitor): void {
  const { state, lastWords } = viewOfMonitor(monitor);
  if (state === 'panic') {
    throw new PtdiffError('harness', `The realm monitor could not continue: ${lastWords}.`);
  }
}
