// SPDX-License-Identifier: GPL-2.0-only

/** Registers of the translation by the MSR that writes them, without its Xt (DDI 0487 C6.2, D24.2). */
const registers = new Map([
  [0xd5182020, 'TTBR1_EL1'],
  [0xd5182040, 'TCR_EL1'],
] as const);

/** The register that an instruction writes, if it is one of those above. */
export function registerOf(insn: number): 'TTBR1_EL1' | 'TCR_EL1' | undefined {
  return (registers as ReadonlyMap<number, 'TTBR1_EL1' | 'TCR_EL1'>).get((insn & ~31) >>> 0);
}
