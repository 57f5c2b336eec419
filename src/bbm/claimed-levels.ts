// SPDX-License-Identifier: GPL-2.0-only
import { field } from '../vmsa/bits.ts';
import type { BbmLevel } from './needs-break.ts';

/**
 * ID_AA64MMFR2_EL1.BBM of each CPU (DDI 0487 D24.2); a CPU that does not show it claims nothing.
 * @param registers ID registers of each CPU by name, as its kernel reads them
 */
export function claimedLevels(registers: readonly Record<string, bigint>[]): BbmLevel[] {
  return registers.map(
    ({ ID_AA64MMFR2_EL1: register = 0n }) => Math.min(3, field(register, 52, 4)) as BbmLevel,
  );
}
