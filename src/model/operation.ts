// SPDX-License-Identifier: GPL-2.0-only

import type { SplitTime } from './arch/arm64/mm/mmu-split.ts';
import type { BootState, Kernel } from './boot-state.ts';
import type { LinearMap, Table } from './linear-map.ts';

/**
 * All that TTBR1 translates, as the tables are when an operation begins. Offsets count from the
 * first address of TTBR1, where the linear map begins, too.
 */
export interface WholeMap extends LinearMap {
  /**
   * Physical address of offset 0: of the linear map, or, while an operation maps one range
   * elsewhere, the one that gives that range its addresses.
   */
  physBase: number;
  /** The table of level 3 that translates an offset; undefined where there is none. */
  pageTable(offset: number): Table | undefined;
  /** The leaf that translates an offset; undefined where nothing is mapped. */
  leafAt(offset: number): { attributes: bigint; pa: number } | undefined;
}

/** What a function of the kernel finds when it is called. */
export interface OperationState
  extends Kernel,
    Pick<BootState, 'prot' | 'kfencePool' | 'sections'> {
  map: WholeMap;
  time: SplitTime;
  /** The CPU that runs it. */
  cpu: number;
  /** system_supports_bti_kernel(): PTE_MAYBE_GP is PTE_GP. */
  bti: boolean;
}

/**
 * The registers x0 to x7 of a call (AAPCS64, 6.8.2); those behind the function's own arguments mean
 * nothing.
 */
export type Registers = readonly [
  ...[bigint, bigint, bigint, bigint],
  ...[bigint, bigint, bigint, bigint],
];

/** A function of the kernel, as a change of the tables that it finds. */
export interface Operation {
  /**
   * Changes the map as the kernel does, entry by entry, in the kernel's order.
   * @param args what the kernel passes
   * @returns what it returns, as an int; undefined where that is not known, and for void
   * @throws PredictedBug where the kernel would stop
   */
  run(state: OperationState, args: Registers): number | undefined;
  /** Functions that it calls, whose stores count as its own. */
  parts?: readonly string[];
  /** The leaves that it writes have the addresses that follow from physBase; else they keep theirs. */
  maps?: true;
  /** Virtual address of the root table that it changes; absent: swapper_pg_dir. */
  root?(args: Registers): bigint;
  /**
   * It also writes to tables of its own, of which nothing is said. It allocates them first, and with
   * debug_pagealloc their pages become valid by that.
   */
  hasOwnTables?: true;
}

export const EINVAL = 22;
