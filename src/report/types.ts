// SPDX-License-Identifier: GPL-2.0-only
import type { LeafDifference } from '../diff/compare.ts';
import type { KnownIssue } from '../diff/match-known.ts';
import type { CaseResult, Verdict } from '../diff/types.ts';
import type { CheckpointName, ProbeResult } from '../evidence/capture.ts';
import type { Decisions, DerivationStep, PredictedRun, ProbePrediction } from '../model/types.ts';
import type { Depth, DepthChoice } from '../scenario/depth.ts';
import type { Scenario, scenarioVersion } from '../scenario/types.ts';
import type { Variation } from '../scenario/variation.ts';
import type { LeafRun, SystemRegisters } from '../vmsa/types.ts';
import type { RecordedChanges } from './recorded-changes.ts';

/**
 * Version of the formats of run.json and cases.jsonl; raised when a reader of the old format would
 * misread the new one.
 */
export const runSchemaVersion = 1;

/** The emulator that booted the cases: it is part of the experiment. */
interface EmulatorIdentity {
  /** As the program prints it, e.g. '11.1.3 (Debian 1:11.1.3+ds-1~bpo13+1)'. */
  version: string;
  /** Of the program file. */
  sha256: string;
  /** Where it came from: the pinned package, or the user's path. */
  origin: string;
  /**
   * What a reader must know, e.g. that the pinned version was not available and which one was used.
   */
  notes: string[];
}

/** A kernel of the run. */
export interface KernelIdentity {
  spec: string;
  /** As `uname -r` prints it. */
  release: string;
  /** Version of the package or of the source tree. */
  version: string;
  flavour: string;
  /** Of the Image. */
  sha256: string;
  /** The commit that it was built from, without patches: 40 hexadecimal digits. */
  commit?: string;
}

/** A case that the run planned to do. */
export interface PlannedCase {
  case: string;
  /** Spec of the kernel, as in `KernelIdentity.spec`. */
  kernel: string;
  scenario: string;
  /** How far it is booted; runs from before there were early cases do not say: full. */
  depth?: Depth;
  /**
   * What an early boot does not look at, each the subject of a sentence, and the case of this run
   * that tells the same of it, where there is one.
   */
  notLookedAt?: { what: string; toldBy?: string }[];
}

/** A scenario that a kernel cannot run, by spec and name. */
export interface UnfitCase {
  kernel: string;
  scenario: string;
  /** A part of a sentence. */
  reason: string;
}

/** run.json: what was requested, what produced the results, and how the run ended. */
export interface RunRecord {
  schema: typeof runSchemaVersion;
  ptdiff: { version: string; commit?: string };
  /** The command line, word by word, without the interpreter. */
  command: string[];
  asked: {
    kernels: string[];
    scenarios: string[];
    jobs: number;
    depth?: DepthChoice;
    /** Seconds after which no case began. */
    budget?: number;
    variation?: Variation;
  };
  scenarioVersion: typeof scenarioVersion;
  /** The complete scenarios of the matrix, in its order. */
  scenarios: Scenario[];
  emulator: EmulatorIdentity;
  kernels: KernelIdentity[];
  /** Kernels that were requested but are not available. */
  unavailable: { spec: string; reason: string }[];
  initramfs: { sha256: string };
  /** The realm monitor; absent where no scenario needed it. */
  monitor?: { sha256: string };
  /** Generations that the reference model of this run knows, oldest first. */
  generations: string[];
  host: { cpu: string; cores: number; kernel: string; os: string };
  /** ISO 8601, UTC. */
  started: string;
  /** ISO 8601, UTC; absent while the run continues, or if it was cut short. */
  ended?: string;
  /** Every case of the run, finished or not, in the order of the matrix. */
  planned: PlannedCase[];
  /**
   * Kernels that were still being fetched; `planned` then has only what was certain without them.
   * Absent once there are none.
   */
  awaited?: string[];
  /** What pairwise thinning left out of the full matrix. */
  leftOut: PlannedCase[];
  /** What the kernels cannot run. */
  unfit: UnfitCase[];
  counts: Record<Verdict, number>;
}

/**
 * The linear map of one case at one checkpoint, as predicted and as found: the data for a picture.
 */
export interface CaseDrawing {
  checkpoint: CheckpointName;
  /** Bounds of the linear region [start, end) in virtual address. */
  linearRegion: { start: bigint; end: bigint };
  /** Ascending in virtual address. */
  predicted: PredictedRun[];
  /** Leaves found inside the linear region, ascending in virtual address. */
  actual: LeafRun[];
  /** Where the two differ, according to the judge. */
  differences: LeafDifference[];
  /** Those of CPU 0: they determine the granule of the tables and what a descriptor permits. */
  registers: SystemRegisters;
  /** The registers of the lower side, where it is another boot. */
  actualRegisters?: SystemRegisters;
}

/**
 * Everything about one case that is not in its line of cases.jsonl. Every part may be missing: a
 * boot can die at any time.
 */
export interface CaseDossier {
  case: string;
  newerThanKnown?: boolean;
  /** Incomplete if the run was made by a version that knew fewer decisions. */
  decisions?: Partial<Record<keyof Decisions, boolean>>;
  derivation?: DerivationStep[];
  predictedProbes?: ProbePrediction[];
  probes?: ProbeResult[];
  drawings: CaseDrawing[];
  /**
   * What a recording tells, where there is one, or why it cannot be read: read only when it is
   * drawn.
   */
  changes?: () => RecordedChanges | string | undefined;
  /** The command that boots this case again, as the user types it. */
  repro?: string;
  /** What an early boot did not look at. */
  notLookedAt?: PlannedCase['notLookedAt'];
  /** Last lines of the console. Text from the guest: hostile. */
  consoleTail?: string;
  /** Files of the case that could not be read, one sentence each. */
  unreadable?: string[];
}

/** Everything that a report is made from. */
export interface Report {
  run: RunRecord;
  /** In the order of `run.planned`. */
  cases: CaseResult[];
  dossiers: Map<string, CaseDossier>;
  knownIssues: KnownIssue[];
  /** The run folder as the user may type it, for commands; absent where there is none. */
  folder?: string;
}
