// SPDX-License-Identifier: GPL-2.0-only
import { everyBrokenDbm } from '../linux/broken-dbm.ts';
import { geometryOf } from '../linux/geometry.ts';
import { first } from '../present.ts';
import type { Granule, SystemRegisters } from '../vmsa/types.ts';
import { predictRegisters } from './arch/arm64/mm/proc.ts';
import { predictNothing } from './predict.ts';
import type { Question } from './question.ts';

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
  return registersOf({ traits, decisions, idRegisters: first(facts.idRegisters) }, root);
}

/**
 * The same for a kernel of which there is no Image, by what every kernel from 6.12 on does that is
 * built with the options that distributions build with.
 * @param granule page size, and vaBits CONFIG_ARM64_VA_BITS, by VMCOREINFO
 */
export function registersOfUnknown(
  { granule, vaBits }: { granule: Granule; vaBits: number },
  idRegisters: Record<string, bigint>,
  root: { t1sz: number; pa: number },
): SystemRegisters {
  // CONFIG_ARM64_LPA2 comes with 52 bits where pages have 4K or 16K (arch/arm64/Kconfig); with fewer
  // bits nothing asks for it.
  const lpa2 = granule !== 65536;
  const options = { hwAfdbm: true, haft: true, e0pd: true, mte: true, randomizeBase: true };
  const config = { ...options, vaBits, lpa2, paBits: vaBits === 52 ? 52 : 48 };
  const traits = {
    geometry: geometryOf(granule),
    brokenDbm: everyBrokenDbm,
    config: { ...config, fujitsuErratum010001: true },
  } as const;
  const decisions = { lpa2: lpa2 && root.t1sz < 16 };
  return registersOf({ traits, decisions, idRegisters }, root);
}

function registersOf(
  kernel: Omit<Parameters<typeof predictRegisters>[0], 'vaBits' | 'swapper'>,
  root: { t1sz: number; pa: number },
): SystemRegisters {
  const inputs = { ...kernel, vaBits: 64 - root.t1sz, swapper: root.pa };
  const {
    TTBR1_EL1: _,
    TCR_EL1,
    MAIR_EL1,
    SCTLR_EL1,
    ...optional
  } = predictRegisters(inputs, 'live');
  return {
    TTBR0_EL1: 0n,
    TTBR1_EL1: ttbrOf(root.pa),
    TCR_EL1: TCR_EL1.bits,
    MAIR_EL1: MAIR_EL1.bits,
    SCTLR_EL1: SCTLR_EL1.bits,
    ...Object.fromEntries(Object.entries(optional).map(([name, { bits }]) => [name, bits])),
  };
}

/** phys_to_ttbr() of arch/arm64/include/asm/assembler.h: address bits 51:48 are in bits 5:2. */
function ttbrOf(pa: number): bigint {
  const address = BigInt(pa);
  return (address & (2n ** 48n - 1n)) | ((address >> 48n) << 2n);
}
