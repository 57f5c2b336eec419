// SPDX-License-Identifier: GPL-2.0-only
import type { BbmLevel } from '../bbm/needs-break.ts';
import { cpuSupportsBbml } from '../model/arch/arm64/kernel/cpufeature.ts';
import { field } from '../vmsa/bits.ts';

/**
 * The level of FEAT_BBM that each CPU is judged by: what ID_AA64MMFR2_EL1.BBM claims (DDI 0487
 * D24.2), and 2 at least for the parts "that support BBML3 but dont advertise" it (the list in
 * cpu_supports_bbml3(), arch/arm64/kernel/cpufeature.c, 7.3): a hypervisor may hide the field, but
 * the part is what it is. A CPU that does not show the register claims nothing.
 * @param registers ID registers of each CPU by name, as its kernel reads them
 */
export function bbmLevels(registers: readonly Record<string, bigint>[]): BbmLevel[] {
  return registers.map((each) => {
    const claimed = field(each.ID_AA64MMFR2_EL1 ?? 0n, 52, 4);
    const least = cpuSupportsBbml({ bbml: 'bbml3' }, each) === undefined ? 0 : 2;
    return Math.max(least, Math.min(3, claimed)) as BbmLevel;
  });
}
