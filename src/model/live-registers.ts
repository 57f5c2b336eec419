// SPDX-License-Identifier: GPL-2.0-only
import { first } from '../present.ts';
import type { SystemRegisters } from '../vmsa/types.ts';
import { predictRegisters } from './arch/arm64/mm/proc.ts';
import { predictNothing } from './predict.ts';
import type { Question } from './question.ts';

/** Where T1SZ is in TCR_EL1. */
const t1szShift = 16n;
const t1szMask = 0x3fn << t1szShift;

/**
 * The translation registers of the boot CPU of a kernel in operation, as far as the model knows
 * them: what decodes the tables of a board, whose registers nobody can read.
 * @param root what VMCOREINFO knows of them: TCR_EL1.T1SZ, and the physical address of the first
 * table
 */
export function registersInOperation(
  question: Question,
  root: { t1sz: number; pa: number },
): SystemRegisters {
  const { traits, facts } = question;
  const { decisions } = predictNothing(question);
  const vaBits = 64 - root.t1sz;
  const idRegisters = first(facts.idRegisters);
  const inputs = { traits, decisions, idRegisters, vaBits, swapper: root.pa };
  const predicted = predictRegisters(inputs, 'live');
  const bits = (name: string): bigint => predicted[name]?.bits ?? 0n;
  const optional = ['TCR2_EL1', 'PIR_EL1', 'PIRE0_EL1'].filter((name) => predicted[name]);
  return {
    TTBR0_EL1: 0n,
    TTBR1_EL1: ttbrOf(root.pa),
    TCR_EL1: (bits('TCR_EL1') & ~t1szMask) | (BigInt(root.t1sz) << t1szShift),
    MAIR_EL1: bits('MAIR_EL1'),
    SCTLR_EL1: bits('SCTLR_EL1'),
    ...Object.fromEntries(optional.map((name) => [name, bits(name)])),
  };
}

/** phys_to_ttbr() of arch/arm64/include/asm/assembler.h: address bits 51:48 are in bits 5:2. */
function ttbrOf(pa: number): bigint {
  const address = BigInt(pa);
  return (address & (2n ** 48n - 1n)) | ((address >> 48n) << 2n);
}
