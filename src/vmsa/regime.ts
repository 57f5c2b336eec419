// SPDX-License-Identifier: GPL-2.0-only
import { bit, field, outOfRange } from './bits.ts';
import type { Granule, Level, Malformed, SystemRegisters } from './types.ts';

/**
 * Half of the EL1&0 address space: TTBR0 translates addresses that begin with zeroes, TTBR1 those
 * that begin with ones.
 */
export type Half = 'ttbr0' | 'ttbr1';

/** How one half of the EL1&0 address space is translated, decoded from the registers of one CPU. */
export interface Stage1Regime {
  half: Half;
  granule: Granule;
  /** Bits of virtual address that the tables resolve: 64 - TxSZ. */
  inputBits: number;
  /** Bits of physical address that a descriptor may hold. */
  outputBits: number;
  /** First virtual address of this half. */
  base: bigint;
  startLevel: Level;
  /**
   * Physical address of the first table; it holds `rootEntries` descriptors, which may be less than
   * a granule.
   */
  rootPa: number;
  rootEntries: number;
  /**
   * TCR_EL1.DS with 4K or 16K granules: output address bits 51:50 are in descriptor bits 9:8, and
   * SH moves to TCR.
   */
  lpa2: boolean;
  topByteIgnored: boolean;
  /** Permissions in table descriptors have no effect (TCR_EL1.HPDn, or permission indirection). */
  hierarchyDisabled: boolean;
  /** Hardware sets the access flag (HA), and marks writable pages dirty (HD). */
  hardwareAccessFlag: boolean;
  hardwareDirty: boolean;
  writeExecuteNever: boolean;
  /** TCR2_EL1.PnCH: descriptor bit 52 is the Protected attribute instead of the contiguous bit. */
  protectedBit: boolean;
  /** MAIR attribute bytes by AttrIndx: 8, or 16 with TCR2_EL1.AIE. */
  memoryAttributes: number[];
  /** TCR2_EL1.PIE: PIR_EL1 and PIRE0_EL1, which give each PIIndex its permissions. */
  indirection?: { el1: bigint; el0: bigint };
  /** Why the tables cannot be walked, in one sentence; absent when they can. */
  notWalked?: string;
  /** Reserved register encodings. */
  malformed: Malformed[];
}

/** TG0 and TG1 encode the same sizes differently (DDI 0487 TCR_EL1); undefined is reserved. */
const granules: Record<Half, (Granule | undefined)[]> = {
  ttbr0: [4096, 65536, 16384, undefined],
  ttbr1: [undefined, 16384, 4096, 65536],
};

/**
 * Physical address size by TCR_EL1.IPS; 0b111 needs 128-bit descriptors, which are not decoded
 * here.
 */
const physicalSizes = [32, 36, 40, 42, 44, 48, 52];

/** The granule of one half by a TCR_EL1; undefined for a reserved encoding. */
export function encodedGranule(tcr: bigint, half: Half): Granule | undefined {
  return granules[half][field(tcr, half === 'ttbr1' ? 30 : 14, 2)];
}

/**
 * Decodes the stage 1 EL1&0 regime of one half (DDI 0487 D8.2 and the register descriptions).
 * Reserved encodings do not throw: they are listed in `malformed`, and in `notWalked` when nothing
 * can be translated.
 */
export function stage1Regime(registers: SystemRegisters, half: Half): Stage1Regime {
  const tcr = registers.TCR_EL1;
  const tcr2 = registers.TCR2_EL1 ?? 0n;
  const upper = half === 'ttbr1';
  const encoded = encodedGranule(tcr, half);
  const granule = encoded ?? 4096;
  const inputBits = 64 - field(tcr, upper ? 16 : 0, 6);
  const lpa2 = granule !== 65536 && bit(tcr, 59);
  const shape = rootShape(granule, inputBits);
  const regime: Stage1Regime = {
    half,
    granule,
    inputBits,
    outputBits: outputSize(tcr, granule, lpa2),
    base: upper ? 2n ** 64n - 2n ** BigInt(inputBits) : 0n,
    startLevel: shape.level,
    rootPa: 0,
    rootEntries: shape.entries,
    lpa2,
    topByteIgnored: bit(tcr, upper ? 38 : 37),
    hierarchyDisabled: bit(tcr, upper ? 42 : 41) || bit(tcr2, 1),
    hardwareAccessFlag: bit(tcr, 39),
    hardwareDirty: bit(tcr, 39) && bit(tcr, 40),
    writeExecuteNever: bit(registers.SCTLR_EL1, 19),
    protectedBit: bit(tcr2, 0),
    memoryAttributes: memoryAttributes(registers),
    malformed: [],
  };
  if (bit(tcr2, 1))
    regime.indirection = { el1: registers.PIR_EL1 ?? 0n, el0: registers.PIRE0_EL1 ?? 0n };

  const name = upper ? 'TG1' : 'TG0';
  if (!bit(registers.SCTLR_EL1, 0)) stop(regime, 'The MMU is off (SCTLR_EL1.M is 0).');
  else if (bit(tcr, upper ? 23 : 7))
    stop(regime, `Walks of this half are disabled (TCR_EL1.EPD${upper ? 1 : 0} is 1).`);
  else if (encoded === undefined) refuse(regime, tcr, `TCR_EL1.${name} has a reserved encoding.`);
  else if (bit(tcr2, 5))
    refuse(regime, tcr2, 'TCR2_EL1.D128 selects 128-bit descriptors, which are not decoded.');
  else checkSizes(regime, tcr);
  if (regime.notWalked === undefined) {
    checkCompanions(regime, registers);
    locateRoot(regime, upper ? registers.TTBR1_EL1 : registers.TTBR0_EL1);
  }
  return regime;
}

/** Level and number of entries of the first table (DDI 0487 D8.2.5 to D8.2.7). */
function rootShape(granule: Granule, inputBits: number): { level: Level; entries: number } {
  const pageShift = Math.log2(granule);
  const tableBits = pageShift - 3;
  const levels = Math.min(5, Math.max(1, Math.ceil((inputBits - pageShift) / tableBits)));
  const rootBits = Math.max(1, inputBits - pageShift - tableBits * (levels - 1));
  return { level: (4 - levels) as Level, entries: 2 ** rootBits };
}

/**
 * Output address bits: IPS, but 48 at most for 4K and 16K granules without DS (DDI 0487 D8.1.6).
 */
function outputSize(tcr: bigint, granule: Granule, lpa2: boolean): number {
  const size = physicalSizes[field(tcr, 32, 3)] ?? 52;
  return granule === 65536 || lpa2 ? size : Math.min(size, 48);
}

function memoryAttributes(registers: SystemRegisters): number[] {
  const bytes = (value: bigint) =>
    Array.from({ length: 8 }, (_, index) => field(value, index * 8, 8));
  const first = bytes(registers.MAIR_EL1);
  return bit(registers.TCR2_EL1 ?? 0n, 4) ? [...first, ...bytes(registers.MAIR2_EL1 ?? 0n)] : first;
}

/**
 * TxSZ must leave 25 to 52 bits; fewer with FEAT_TTST, 52 only with 64K granules or DS (DDI 0487
 * D8.2.4).
 */
function checkSizes(regime: Stage1Regime, tcr: bigint): void {
  const largest = regime.granule === 65536 || regime.lpa2 ? 52 : 48;
  const smallest = regime.granule === 65536 ? 17 : 16;
  const name = regime.half === 'ttbr1' ? 'T1SZ' : 'T0SZ';
  if (regime.inputBits > largest || regime.inputBits < smallest) {
    const bounds = `outside the ${64 - largest} to ${64 - smallest} that ${regime.granule / 1024}K granules allow here`;
    refuse(regime, tcr, `TCR_EL1.${name} is ${64 - regime.inputBits}, ${bounds}.`);
  }
  if (physicalSizes[field(tcr, 32, 3)] === undefined) {
    report(
      regime,
      tcr,
      `TCR_EL1.IPS has a reserved encoding; output addresses are read with ${regime.outputBits} bits.`,
    );
  }
}

/** Registers that other registers refer to must have been read too. */
function checkCompanions(regime: Stage1Regime, registers: SystemRegisters): void {
  const tcr2 = registers.TCR2_EL1 ?? 0n;
  if (
    regime.indirection &&
    (registers.PIR_EL1 === undefined || registers.PIRE0_EL1 === undefined)
  ) {
    report(
      regime,
      tcr2,
      'TCR2_EL1.PIE is 1 but PIR_EL1 or PIRE0_EL1 was not read: permissions count as none.',
    );
  }
  if (bit(tcr2, 4) && registers.MAIR2_EL1 === undefined) {
    report(
      regime,
      tcr2,
      'TCR2_EL1.AIE is 1 but MAIR2_EL1 was not read: its memory types count as Device-nGnRnE.',
    );
  }
}

/**
 * Physical address of the first table, in a machine whose memory ends below 2^48: a TTBRn_EL1
 * without its ASID and CnP (DDI 0487 D24.2).
 */
export function rootAddress(ttbr: bigint): number {
  return Number(ttbr & 0xffff_ffff_ffc0n);
}

/**
 * Physical address of the first table (DDI 0487 D8.2.5 and TTBRn_EL1.BADDR): the ASID and CnP are
 * not part of it; with 52-bit output addresses, bits 51:48 are in bits 5:2; the low bits below the
 * size of the table are RES0.
 */
function locateRoot(regime: Stage1Regime, ttbr: bigint): void {
  const wide = regime.outputBits === 52;
  const alignment = Math.max(regime.rootEntries * 8, wide ? 64 : 0);
  const low = field(ttbr, 0, 48);
  const high = wide ? field(ttbr, 2, 4) : 0;
  const stray = wide ? (low % alignment) - (low % 64) + (low & 2) : (low % alignment) - (low & 1);
  regime.rootPa = high * 2 ** 48 + low - (low % alignment);
  if (stray !== 0)
    report(regime, ttbr, `The table address in the TTBR is not aligned to ${alignment} bytes.`);
  if (outOfRange(regime.rootPa, regime.rootEntries * 8, regime.outputBits)) {
    refuse(
      regime,
      ttbr,
      `The table address in the TTBR does not fit into ${regime.outputBits} bits.`,
    );
  }
}

function report(regime: Stage1Regime, value: bigint, reason: string): void {
  regime.malformed.push({ va: regime.base, level: regime.startLevel, descriptor: value, reason });
}

function stop(regime: Stage1Regime, reason: string): void {
  regime.notWalked = reason;
}

function refuse(regime: Stage1Regime, value: bigint, reason: string): void {
  report(regime, value, reason);
  stop(regime, reason);
}
