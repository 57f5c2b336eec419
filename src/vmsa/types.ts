// SPDX-License-Identifier: GPL-2.0-only
/**
 * Shared types of the VMSAv8-64 stage 1 translation (Arm ARM DDI 0487, chapter D8).
 *
 * Virtual addresses are bigint (the TTBR1 half lies above 2^53); physical addresses are number (52
 * bits at most); sizes are number, in bytes.
 */

/** Translation granule in bytes (TCR_EL1.TG0/TG1). */
export type Granule = 4096 | 16384 | 65536;

/** Lookup level of a descriptor; -1 exists only with FEAT_LPA2 or a 52-bit VA on 4K. */
export type Level = -1 | 0 | 1 | 2 | 3;

/**
 * EL1 translation control registers of one CPU, read from outside the guest. An absent register
 * does not exist on the CPU.
 */
export interface SystemRegisters {
  TTBR0_EL1: bigint;
  TTBR1_EL1: bigint;
  TCR_EL1: bigint;
  MAIR_EL1: bigint;
  SCTLR_EL1: bigint;
  TCR2_EL1?: bigint;
  MAIR2_EL1?: bigint;
  PIR_EL1?: bigint;
  PIRE0_EL1?: bigint;
  VBAR_EL1?: bigint;
}

/**
 * A run of leaf entries that follow each other in virtual and physical address and carry the same
 * attributes. An entry that is not valid but not zero either (Linux: PTE_PRESENT_INVALID) is a leaf
 * with `valid` false.
 */
export interface LeafRun {
  /** Virtual address of the first byte. */
  va: bigint;
  /** Output address of the first byte. */
  pa: number;
  /** Bytes covered by the run: a whole number of entries of `level`. */
  size: number;
  /** Level of the descriptors. */
  level: Level;
  /** Contiguous bit of the descriptors (DDI 0487 D8.7.1). */
  contiguous: boolean;
  /** Bit 0 of the descriptors. */
  valid: boolean;
  /**
   * The descriptors without their output address: every other bit as found, contiguous and type
   * bits included.
   */
  attributes: bigint;
  /**
   * Hierarchical attributes from the tables above: bits 63:59 of the table descriptors, ORed, as a
   * number from 0 to 31.
   */
  tableAttributes: number;
}

/** One translation table page and the descriptor that points to it. */
export interface TablePage {
  /** Physical address of the table itself. */
  pa: number;
  /** Level of the entries in this table. */
  level: Level;
  /** First virtual address that the table translates. */
  va: bigint;
  /**
   * The table descriptor that points here, without its next-table address; 0n for the root (TTBR).
   */
  attributes: bigint;
}

/**
 * A descriptor or register encoding that the architecture reserves, or that cannot be followed.
 * Reported, never skipped.
 */
export interface Malformed {
  va: bigint;
  level: Level;
  /** Physical address of the descriptor; absent when a register is at fault. */
  at?: number;
  descriptor: bigint;
  /** What is wrong, in one sentence. */
  reason: string;
}

/** Everything that one walk of one half of the address space found, in order of virtual address. */
export interface WalkResult {
  leaves: LeafRun[];
  tables: TablePage[];
  malformed: Malformed[];
}
