// SPDX-License-Identifier: GPL-2.0-only
import type { RamFile } from './ram-file.ts';

/** Guest RAM by an address that a guest may have made up: undefined where there is no RAM. */
export function readRam(ram: RamFile, pa: number, bytes: number): Buffer | undefined {
  return ram.contains(pa, bytes) ? ram.read(pa, bytes) : undefined;
}
