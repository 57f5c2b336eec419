// SPDX-License-Identifier: GPL-2.0-only
import { type Command, Option } from 'commander';
import { farmAddress, farmHelp } from '../../harness/laboratory/farm/address.ts';
import type { MatrixRequest } from '../../harness/laboratory/plan-matrix.ts';

/** How the verbs that run a matrix boot their cases, as parsed. */
export interface MannerOptions {
  qemu?: string;
  farm?: string;
  /** False after --no-record. */
  record?: boolean;
}

/** @param alone options of the verb that a farm does not take, beside --qemu */
export function addMannerOptions(command: Command, alone: readonly string[] = []): Command {
  return command
    .option('--qemu <path>', 'your own QEMU instead of the pinned one')
    .addOption(new Option('--farm <url>', farmHelp).conflicts(['qemu', ...alone]))
    .option(
      '--no-record',
      'do not record stores to page tables, TLB invalidations and barriers: a third quicker, without ptdiff timeline and bbm',
    );
}

/** What a run is asked for by these options. */
export function mannerOf({
  qemu,
  farm,
  record,
}: MannerOptions): Pick<MatrixRequest, 'qemu' | 'farm' | 'record'> {
  return {
    ...(qemu !== undefined && { qemu }),
    ...(farm !== undefined && { farm: farmAddress(farm) }),
    ...(record === false && { record }),
  };
}
