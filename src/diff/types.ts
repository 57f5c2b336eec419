// SPDX-License-Identifier: GPL-2.0-only
import type { UpdateSite } from '../bbm/check-updates.ts';
import type { CheckpointName } from '../evidence/capture.ts';
import type { Depth } from '../scenario/depth.ts';

/**
 * A mismatch (differs from the prediction), a violated invariant (wrong under any logic), an update
 * of a table in a way that the architecture forbids, or a kernel complaint.
 */
export type FindingKind = (typeof findingKinds)[number];
export const findingKinds = ['mismatch', 'invariant', 'update', 'splat'] as const;

/** One defect, folded over all the leaves that show it. */
export interface Finding {
  /** Stable: the same defect has the same id on another day, machine size or address. */
  id: string;
  kind: FindingKind;
  /** Absent when the finding belongs to the boot as a whole. */
  checkpoint?: CheckpointName;
  /** One line for a list. */
  title: string;
  /** Explanation and evidence: several lines of plain text, at most 100 columns. */
  detail: string;
  /** The known issue that it matches (id in results/known-issues), if any. */
  known?: string;
}

/**
 * pass, fail, known, hang and crash are about the kernel; error is about the harness, the emulator
 * or the host.
 */
export type Verdict = 'pass' | 'fail' | 'known' | 'hang' | 'crash' | 'error';

/**
 * Bytes of a linear map by leaf kind; the kinds are Linux's, and their sizes depend on the granule.
 */
export interface LinearMapSizes {
  page: number;
  contPte: number;
  pmd: number;
  contPmd: number;
  pud: number;
  /** Leaves present but not valid. */
  invalid: number;
}

/** One way in which an instruction changes tables, and how often each level forbids it. */
export type UpdateRow = Omit<UpdateSite, 'example' | 'missing'> &
  Partial<Pick<UpdateSite, 'missing'>>;

/** One line of cases.jsonl. */
export interface CaseResult {
  case: string;
  kernel: { spec: string; release: string; flavour: string; sha256: string; generation: string };
  scenario: string;
  /** How far it was booted; results from before there were early cases do not say: full. */
  depth?: Depth;
  verdict: Verdict;
  findings: Finding[];
  linearMap: Partial<Record<CheckpointName, LinearMapSizes>>;
  /**
   * Kernel variables and decisions worth a trend: linear_map_requires, force_pte_mapping, … as
   * text.
   */
  symbols: Record<string, string>;
  /**
   * Where the boot was recorded: the sites that change tables in a way that some level of FEAT_BBM
   * does not allow, the commonest first.
   */
  updates?: UpdateRow[];
  /** Wall-clock seconds of the case. */
  seconds: number;
  /** Present with verdict error, hang or crash: one sentence. */
  reason?: string;
  /** What was assumed about the kernel, and what is not known about it: sentences. */
  notes?: string[];
  /** Label of the worker that ran it; absent where that was this machine. */
  worker?: string;
}
