// SPDX-License-Identifier: GPL-2.0-only
import type { PhysicalRange } from '../../linux/physical-range.ts';
import type { Granule } from '../../vmsa/types.ts';

/** What an archive of a live machine tells of it, as far as a scenario can show it. */
export interface BoardFacts {
  /** What the user calls it. */
  label: string;
  /** The kernel's page size in bytes. */
  granule: Granule;
  /** What memblock has as memory, NOMAP ranges included; ascending, in bytes. */
  present: readonly PhysicalRange[];
  /** Its NOMAP ranges. */
  noMap: readonly PhysicalRange[];
  /** Physical address of the kernel's image, where it is known. */
  image?: number;
  /** Every CPU that the kernel brought up, by its registers: MIDR_EL1 and ID_AA64*_EL1. */
  cpus: readonly { registers: Readonly<Record<string, bigint>> }[];
  /** What the command line makes of ID registers: a value for the bits of a mask. */
  overrides: readonly { register: string; value: bigint; mask: bigint }[];
  world: 'normal' | 'realm';
  kaslr: boolean;
  /** /proc/cmdline: hostile text. */
  commandLine: string;
}

/** A part of a scenario, and a sentence for each thing in which it is not the board. */
export interface Written<T> {
  made: T;
  changes: string[];
}
