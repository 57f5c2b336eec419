// SPDX-License-Identifier: GPL-2.0-only
import type { CheckpointName, RsiRecord } from '../../src/evidence/capture.ts';
import { decodeCalls } from '../../src/evidence/decode-monitor-report.ts';
import type { MonitorView } from '../../src/evidence/monitor-report.ts';
import type { VirtualMachine } from '../emulator/virtual-machine.ts';
import { readerOf } from './monitor-witness.ts';

/**
 * Collects a realm's calls to the RMM. The monitor's ring keeps the newest SMCs of all kinds, so it
 * is read at every checkpoint; calls that are lost anyway are counted.
 */
export class RsiRecorder {
  readonly record: RsiRecord = { calls: [], lost: 0 };
  readonly #monitor: NonNullable<VirtualMachine['monitor']>;
  /** Number of SMCs that were read or lost. */
  #seen = 0;

  constructor(monitor: NonNullable<VirtualMachine['monitor']>) {
    this.#monitor = monitor;
  }

  /**
   * Reads the new ones of `total` SMCs; the machine is stopped at `before`, or ended before it got
   * there.
   */
  readUpTo(before: CheckpointName, { totalCalls: total }: Pick<MonitorView, 'totalCalls'>): void {
    const range = { first: this.#seen, total };
    const { calls, lost } = decodeCalls(readerOf(this.#monitor), this.#monitor.memory.start, range);
    for (const { rsi, arguments: args, results, cpu } of calls) {
      if (rsi !== undefined) this.record.calls.push({ rsi, arguments: args, results, cpu, before });
    }
    this.record.lost += lost;
    this.#seen = total;
  }
}
