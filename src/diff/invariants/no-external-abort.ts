// SPDX-License-Identifier: GPL-2.0-only
import type { MonitorAbort } from '../../evidence/monitor-report.ts';
import { firstLines } from '../compare-state.ts';
import type { Invariant } from '../context.ts';
import { countText, hex } from '../text.ts';
import { violation } from './violation.ts';

/**
 * No access of a realm ends in a Synchronous External Abort: the kernel knows which of its memory
 * is shared. Checked at the last checkpoint, over the whole boot.
 */
export const noExternalAbort: Invariant = (context) => {
  const { monitor, checkpoint } = context.rawCapture;
  if (!monitor || checkpoint !== 'init' || monitor.totalAborts === 0) return [];
  const line = ({ kind, ipa, elr, cpu, ripas }: MonitorAbort): string =>
    `  CPU ${cpu}, PC ${hex(elr)}: address ${hex(ipa)}, ${kind} (RIPAS ${ripas})`;
  return [
    violation(
      context,
      {
        name: 'no-external-abort',
        nature: 'abort',
        title: 'the realm got a Synchronous External Abort',
        because: `The monitor refused ${countText(monitor.totalAborts, 'access', 'accesses')} of the guest.`,
      },
      firstLines(monitor.aborts.map(line)),
    ),
  ];
};
