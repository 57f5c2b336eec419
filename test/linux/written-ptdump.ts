// SPDX-License-Identifier: GPL-2.0-only
import { ptdumpAttributes } from '../../src/linux/ptdump.ts';

/** An address as arch/arm64/mm/ptdump.c prints it. */
export const ptdumpAddress = (va: bigint): string =>
  `0x${BigInt.asUintN(64, va).toString(16).padStart(16, '0')}`;

/** The columns behind the level (pte_bits[] in arch/arm64/mm/ptdump.c) for a descriptor. */
export function ptdumpColumns(descriptor: bigint): string {
  const a = ptdumpAttributes(descriptor);
  const columns = [
    a.valid ? ' ' : 'F',
    a.user ? 'USR' : '   ',
    a.readOnly ? 'ro' : 'RW',
    a.pxn ? 'NX' : 'x ',
    a.shared ? 'SHD' : '   ',
    a.accessed ? 'AF' : '  ',
    a.notGlobal ? 'NG' : '  ',
    a.contiguous ? 'CON' : '   ',
    a.block ? 'BLK' : '   ',
    a.uxn ? 'UXN' : '   ',
    a.guarded ? 'GP' : '  ',
    a.memory,
  ];
  return columns.join(' ');
}
