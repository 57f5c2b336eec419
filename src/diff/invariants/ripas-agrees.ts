// SPDX-License-Identifier: GPL-2.0-only
import type { RipasRun } from '../../evidence/monitor-report.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { isShared, physical } from '../alias-bit.ts';
import type { Invariant } from '../context.ts';
import { clipToPhysical } from '../physical.ts';
import { runsIn } from '../runs.ts';
import { leavesViolation } from './violation.ts';

/** Parts of a leaf run whose memory is in one of `states`. */
function partsIn(
  run: LeafRun,
  ripas: readonly RipasRun[],
  aliasBit: number,
  states: readonly RipasRun['ripas'][],
): LeafRun[] {
  const mapped = { ...run, pa: physical(run.pa, aliasBit) };
  return ripas
    .filter((each) => states.includes(each.ripas))
    .flatMap((range) => clipToPhysical(mapped, range) ?? []);
}

/**
 * In a realm, the alias bit of every valid mapping of RAM agrees with the granule's RIPAS: private
 * memory (RAM) is mapped by its protected address, shared memory (EMPTY) by its alias, in every
 * mapping of the kernel and of user space; a granule that is DESTROYED is mapped by none. Any other
 * access is a Synchronous External Abort (RMM specification DEN0137, A5.2 and A5.5). The kernel
 * shares memory in order to use it, so the linear mapping of shared memory is valid. At the first
 * checkpoint all memory is RAM (guest/monitor/README.md).
 */
export const ripasAgrees: Invariant = (context) => {
  const { aliasBit, rawCapture } = context;
  const ripas = rawCapture.monitor?.ripas;
  if (aliasBit === 0 || !ripas) return [];
  const linear = runsIn(rawCapture.ttbr1.leaves, context.linear.start, context.linear.end);
  const valid = [...rawCapture.ttbr1.leaves, ...(rawCapture.ttbr0?.leaves ?? [])].filter(
    (run) => run.valid,
  );
  const shared = valid.filter((run) => isShared(run, aliasBit));
  const own = valid.filter((run) => !isShared(run, aliasBit));
  const because =
    'The alias bit of a mapping and the RIPAS of its memory must agree, in all its aliases.';
  const cases: [nature: string, title: string, runs: LeafRun[]][] = [
    [
      'private-by-alias',
      'private memory is mapped as if it were shared',
      shared.flatMap((run) => partsIn(run, ripas, aliasBit, ['RAM', 'DESTROYED'])),
    ],
    [
      'shared-by-protected-address',
      'shared memory is mapped as if it were private',
      own.flatMap((run) => partsIn(run, ripas, aliasBit, ['EMPTY', 'DESTROYED'])),
    ],
    [
      'shared-not-valid',
      'memory was shared, but its linear mapping is not valid: whoever uses it faults',
      linear.filter((run) => !run.valid).flatMap((run) => partsIn(run, ripas, aliasBit, ['EMPTY'])),
    ],
  ];
  return cases.flatMap(([nature, title, runs]) =>
    leavesViolation(context, { name: 'ripas-agrees', nature, title, because }, runs),
  );
};
