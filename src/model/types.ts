// SPDX-License-Identifier: GPL-2.0-only

import type { CheckpointName } from '../evidence/capture.ts';
import type { PhysicalRange } from '../linux/physical-range.ts';
import type { DeviceName } from '../scenario/devices.ts';
import type { LeafRun, TablePage } from '../vmsa/types.ts';

/** One step of the derivation: what a rule concluded, and where a maintainer finds the rule. */
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
  /** What this memory is and why its leaves look like this, e.g. 'kernel text alias'. */
  why: string;
  /**
   * Other attribute values that are also correct, where the kernel is free to choose the state
   * (KFENCE objects).
   */
  alternatives: bigint[];
}

/** A predicted table of the linear map; the kernel is free to choose the table's address. */
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
  /** By CPU number, then by name; meaningless for a CPU that is not online. */
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
  /** can_set_direct_map() in map_mem(), before arm64_rsi_init(), and afterwards. */
  canSetDirectMapInMapMem: boolean;
  canSetDirectMap: boolean;
  /** is_realm_world() after arm64_rsi_init(); in every known kernel it is false in map_mem(). */
  realm: boolean;
  /** Absent before 6.18, where the variable does not exist. */
  linearMapRequiresBbml?: boolean;
  /**
   * arm64_use_ng_mappings as early_map_kernel() sets it, and whether KPTI is on
   * (arm64_kernel_unmapped_at_el0()), which sets it later.
   */
  useNgMappings: boolean;
  kpti: boolean;
  lpa2: boolean;
}

/**
 * A call that a realm must make to the RMM. A change of state may take several calls, each of which
 * starts where the RMM stopped in the previous one (rsi_set_memory_range(),
 * arch/arm64/include/asm/rsi.h).
 */
export type PredictedRsiCall = RsiRequest & {
  /** Its purpose: fixed words that are part of the names of findings. */
  step: 'version' | 'realm-config' | 'setup-memory' | 'share' | 'unshare';
  /** Kernel function and file that make the call. */
  where: string;
  source: string;
  /** The next checkpoint after the call. */
  before: CheckpointName;
};

/** Function and arguments of a call; addresses in bytes. */
export type RsiRequest =
  | { rsi: 'VERSION'; version: bigint }
  /** The RMM writes the configuration into one granule of this range. */
  | { rsi: 'REALM_CONFIG'; within: PhysicalRange }
  | ({ rsi: 'IPA_STATE_SET'; ripas: 'EMPTY' | 'RAM'; changeDestroyed: boolean } & PhysicalRange);

/** Expected result of a probe. */
export interface ProbePrediction {
  probe: string;
  errno: number;
  /** The probe uses this device, which delivers what src/scenario/devices.ts says. */
  device?: DeviceName;
  why: string;
}

/** The reference model's answer for one case. */
export interface Prediction {
  generation: string;
  /**
   * The kernel is newer than every generation that the model knows; the newest one is used for the
   * prediction.
   */
  newerThanKnown: boolean;
  derivation: DerivationStep[];
  decisions: Decisions;
  /** Bounds of the linear region [start, end) in virtual address. */
  linearRegion: { start: bigint; end: bigint };
  checkpoints: Partial<Record<CheckpointName, CheckpointPrediction>>;
  probes: ProbePrediction[];
  /**
   * The calls of a realm to the RMM, in order; calls for its devices are not included. Empty in the
   * normal world, absent where the model has no answer for a kernel.
   */
  rsi?: PredictedRsiCall[];
  /**
   * Titles of the complaints that must be in the kernel's log because its CPUs differ (see
   * findSplats()).
   */
  complaints: string[];
  /** It is not known whether this kernel accepts a late CPU: nothing about it is predicted. */
  lateCpusUnknown?: true;
}
