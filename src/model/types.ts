// SPDX-License-Identifier: GPL-2.0-only

import type { CheckpointName } from '../evidence/capture.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { DeviceName } from '../scenario/devices.ts';
import type { LeafRun, TablePage } from '../vmsa/types.ts';

/** One step of the derivation: which rule gave what, and where a maintainer finds it. */
export interface DerivationStep {
  /** Kernel function, e.g. 'map_mem()'. */
  where: string;
  /** Kernel file and, where a rule depends on the release, commit and release. */
  source: string;
  /** What was concluded, in one sentence. */
  outcome: string;
}

/** A predicted run of the linear map. */
export interface PredictedRun extends LeafRun {
  /** What this memory is and why its leaves look so, e.g. 'kernel text alias'. */
  why: string;
  /**
   * Other attribute values that are right too, where the state is the kernel's free choice (KFENCE
   * objects).
   */
  alternatives: bigint[];
}

/** A predicted table of the linear map; where the table lies is the kernel's free choice. */
export type PredictedTable = Omit<TablePage, 'pa'>;

/** Bits that a system register must have: (value & mask) === bits. */
export interface PredictedRegister {
  bits: bigint;
  mask: bigint;
  why: string;
}

/** What the linear map must be at one checkpoint. */
export interface CheckpointPrediction {
  leaves: PredictedRun[];
  tables: PredictedTable[];
  /** By CPU number, then by name; of a CPU that is not online they say nothing. */
  registers: Record<string, PredictedRegister>[];
  /** Kernel variables, by symbol, e.g. linear_map_requires_bbml2. */
  variables: Record<string, bigint>;
}

/** Named boolean outcomes of the kernel's decision functions. */
export interface Decisions {
  rodataEnabled: boolean;
  rodataFull: boolean;
  kfenceEarlyInit: boolean;
  debugPagealloc: boolean;
  /**
   * cpu_supports_bbml2_noabort() / cpu_supports_bbml3() on the boot CPU, and the system capability.
   */
  bootCpuBbml: boolean;
  systemBbml: boolean;
  forcePteMapping: boolean;
  /** can_set_direct_map() as map_mem() sees it, before arm64_rsi_init(), and from then on. */
  canSetDirectMapInMapMem: boolean;
  canSetDirectMap: boolean;
  /** is_realm_world() once arm64_rsi_init() ran; false in map_mem() in every kernel known. */
  realm: boolean;
  /** Absent before 6.18, where the variable does not exist. */
  linearMapRequiresBbml?: boolean;
  /**
   * arm64_use_ng_mappings as early_map_kernel() leaves it, and whether KPTI is on
   * (arm64_kernel_unmapped_at_el0()), which sets it later.
   */
  useNgMappings: boolean;
  kpti: boolean;
  lpa2: boolean;
}

/**
 * A call that a realm must make of the RMM. A change of state may take several calls, each from
 * where the RMM stopped in the one before (rsi_set_memory_range(), arch/arm64/include/asm/rsi.h).
 */
export type PredictedRsiCall = RsiRequest & {
  /** What it is for: fixed words, which findings are named after. */
  step: 'version' | 'realm-config' | 'setup-memory' | 'share' | 'unshare';
  /** Kernel function and file that ask. */
  where: string;
  source: string;
  /** The next checkpoint after the call. */
  before: CheckpointName;
};

/** Function and arguments of a call; addresses in bytes. */
export type RsiRequest =
  | { rsi: 'VERSION'; version: bigint }
  /** The configuration goes to one granule of this range. */
  | { rsi: 'REALM_CONFIG'; within: PhysicalRange }
  | ({ rsi: 'IPA_STATE_SET'; ripas: 'EMPTY' | 'RAM'; changeDestroyed: boolean } & PhysicalRange);

/** Expected result of a probe. */
export interface ProbePrediction {
  probe: string;
  errno: number;
  /** The probe asks this device, which delivers what src/scenario/devices.ts says. */
  device?: DeviceName;
  why: string;
}

/** What the reference model says of one case. */
export interface Prediction {
  generation: string;
  /** The kernel is newer than every generation the model knows; predicted with the newest. */
  newerThanKnown: boolean;
  derivation: DerivationStep[];
  decisions: Decisions;
  /** Bounds of the linear region [start, end) in virtual address. */
  linearRegion: { start: bigint; end: bigint };
  checkpoints: Partial<Record<CheckpointName, CheckpointPrediction>>;
  probes: ProbePrediction[];
  /**
   * What a realm asks of the RMM, in order; of its devices it asks besides. Empty in the normal
   * world, absent where the model has no answer for a kernel.
   */
  rsi?: PredictedRsiCall[];
  /**
   * Titles of what the kernel must complain about in its log, because its CPUs differ (see
   * findSplats()).
   */
  complaints: string[];
  /** Whether a late CPU is let in is not known of this kernel: nothing of it is predicted. */
  lateCpusUnknown?: true;
}
