// SPDX-License-Identifier: GPL-2.0-only
import {
  type BootEnd,
  type CheckpointName,
  checkpointNames,
  type Evidence,
  liveCapture,
  reachedItsEnd,
} from '../evidence/capture.ts';
import { debugsPageallocOf } from '../evidence/inferred-free.ts';
import { linearMapSizes } from '../linux/leaf-kind.ts';
import { parsePtdump } from '../linux/ptdump.ts';
import type { CheckpointPrediction, Prediction } from '../model/types.ts';
import type { Scenario } from '../scenario/types.ts';
import { bootEndId } from './boot-end.ts';
import { foundLeaves, foundTables, isUnsettled } from './comparable.ts';
import { diffLeaves, type LeafDifferences } from './compare.ts';
import { compareRsi, missingCalls } from './compare-rsi.ts';
import {
  compareProbes,
  compareRegion,
  compareRegisters,
  compareTables,
  compareVariables,
} from './compare-state.ts';
import { withoutPredicted } from './complaints.ts';
import { type BootContext, type CheckpointContext, checkpointContext } from './context.ts';
import { foldDifferences } from './fold.ts';
import { withoutHostStalls } from './host-stalls.ts';
import { promiseUnchecked } from './invariants/direct-map-promise.ts';
import { bootInvariants, invariants } from './invariants/index.ts';
import { type KnownIssue, withKnown } from './match-known.ts';
import { runsIn } from './runs.ts';
import { detailOf } from './text.ts';
import type { CaseResult, Finding, UpdateRow, Verdict } from './types.ts';
import { type RecordedUpdates, updateFindings } from './update-findings.ts';

/** Everything that the verdict on one case is based on. */
export interface JudgeInput {
  prediction: Prediction;
  /** Facts of the boot, its evidence included. */
  boot: BootContext;
  /** The case: kernel release as in `uname -r`, and scenario. */
  release: string;
  scenario: Scenario;
  knownIssues: readonly KnownIssue[];
  /** Where the boot was recorded. */
  updates?: RecordedUpdates;
  /** What InstantRules found: it does not depend on what is predicted. */
  instants?: readonly Finding[];
  /** Where operations of the recording are not what the model says of them. */
  refined?: readonly Finding[];
}

/** The part of a case's result that follows from prediction and evidence. */
export interface Judgement
  extends Pick<
    CaseResult,
    'verdict' | 'findings' | 'linearMap' | 'symbols' | 'updates' | 'reason'
  > {
  /**
   * Checkpoints that were captured, but that the model predicts nothing for: only the invariants
   * were checked there.
   */
  notPredicted: CheckpointName[];
  /** How the linear map differs, leaf by leaf; the findings fold these differences. */
  differences: LeafDifferences;
}

/**
 * Judges one case: all mismatches, invariant and update violations and splats, and the verdict that follows
 * from them. `pass`: no finding. `known`: every finding matches a documented known issue on this
 * kernel. `hang` and `crash`: the boot did not complete, and not all of that is known. `fail`: any
 * other finding. `error`: a boot that reached its end lacks evidence for something that was
 * predicted, or the host kept the guest waiting so long that its watchdogs complained, so nothing
 * can be concluded from it; the findings are kept all the same.
 */
export function judge(input: JudgeInput): Judgement {
  const { prediction, boot, release, scenario, knownIssues } = input;
  const { updates, instants = [], refined = [] } = input;
  const { evidence } = boot;
  const contexts = evidence.captures.map((capture) => checkpointContext(boot, capture));
  const differences = leafDifferences(contexts, prediction);
  const found = [
    ...contexts.flatMap((context) => [
      ...compareRegion(prediction.linearRegion, context.linear, context.capture.checkpoint),
      ...mismatches(context, prediction.checkpoints[context.capture.checkpoint], differences),
      ...invariants.flatMap((invariant) => invariant(context)),
    ]),
    ...instants,
    ...refined,
    ...compareProbes(prediction.probes, evidence.probes),
    ...compareRsi(prediction.rsi, evidence, boot.granule),
    ...withoutPredicted(
      prediction,
      bootInvariants.flatMap((invariant) => invariant(boot)),
      hasWholeLog(evidence),
    ),
    ...(updates ? updateFindings(updates, evidence.captures, prediction.decisions.systemBbml) : []),
    ...endFinding(evidence.end),
  ];
  const all = withKnown(found, { release, scenario }, knownIssues);
  const { findings, reason: stalled } = withoutHostStalls(all, evidence);
  const missing = missingEvidence(prediction, evidence, contexts);
  const reason = reachedItsEnd(evidence.end) ? (missing ?? stalled) : evidence.end.reason;
  return {
    verdict: verdictOf(findings, evidence.end, {
      incomplete: missing !== undefined,
      stalled: stalled !== undefined,
    }),
    findings,
    linearMap: Object.fromEntries(
      contexts.map((context) => [context.capture.checkpoint, sizesOf(context)]),
    ),
    symbols: symbolsOf(prediction, evidence),
    ...(updates && { updates: updates.sites.map(rowOf) }),
    notPredicted: evidence.captures
      .map(({ checkpoint }) => checkpoint)
      .filter((checkpoint) => prediction.checkpoints[checkpoint] === undefined),
    differences,
    ...(reason === undefined ? {} : { reason }),
  };
}

/** Whether what the kernel must have logged by now would have been seen. */
function hasWholeLog({ end, unseen = [] }: Evidence): boolean {
  return reachedItsEnd(end) && !unseen.some(({ what }) => what === 'log');
}

function leafDifferences(
  contexts: readonly CheckpointContext[],
  { checkpoints }: Prediction,
): LeafDifferences {
  const compared = contexts.flatMap((context) => {
    const { checkpoint } = context.capture;
    const predicted = checkpoints[checkpoint];
    if (predicted === undefined) return [];
    const differences = diffLeaves(predicted.leaves, foundLeaves(context));
    return [[checkpoint, differences.filter((each) => !isUnsettled(each, context))] as const];
  });
  return Object.fromEntries(compared);
}

/** Compares one checkpoint with its prediction, where there is one. */
function mismatches(
  context: CheckpointContext,
  predicted: CheckpointPrediction | undefined,
  differences: LeafDifferences,
): Finding[] {
  if (!predicted) return [];
  const { rawCapture: capture, regime, linear, image, granule } = context;
  const tables = foundTables(context, predicted);
  return [
    ...foldDifferences(differences[capture.checkpoint] ?? [], regime, capture.checkpoint),
    ...compareTables(predicted.tables, tables, linear, granule, capture.checkpoint),
    ...compareRegisters(predicted.registers, capture, image),
    ...compareVariables(predicted.variables, capture),
  ];
}

/** What a boot that reached its end should have provided and did not, in one sentence. */
function missingEvidence(
  prediction: Prediction,
  evidence: Evidence,
  contexts: readonly CheckpointContext[],
): string | undefined {
  const { captures, probes, files, end, guestProblems = [], unseen = [] } = evidence;
  if (!reachedItsEnd(end)) return undefined;
  const checkpoint = checkpointNames.find(
    (name) =>
      prediction.checkpoints[name] &&
      !captures.some((capture) => capture.checkpoint === name) &&
      !unseen.some(({ what }) => what === name),
  );
  if (checkpoint) return `The boot completed, but the checkpoint ${checkpoint} was never captured.`;
  const books = contexts.find((context) => lacksBooks(context));
  if (books) {
    return `The boot completed, but the memory that was free at ${books.capture.checkpoint} according to the page allocator could not be read.`;
  }
  for (const context of contexts) {
    const reason = unchecked(context);
    if (reason) return `The boot completed, but ${reason} (${context.capture.checkpoint}).`;
  }
  const probe = prediction.probes.find(
    ({ probe }) => !probes.some((result) => result.probe === probe),
  );
  if (probe) return `The boot completed, but the guest sent no result of the probe ${probe.probe}.`;
  // Nothing is below the kernel of a board that could have heard its calls.
  const calls = liveCapture(evidence) ? undefined : missingCalls(prediction.rsi, evidence);
  if (calls) return calls;
  // A missing kernel option is not a problem: init reports only what it should have been able to
  // do, and damaged records.
  const [problem] = guestProblems;
  if (problem !== undefined)
    return `The guest's init could not send everything: ${problem.replace(/\.$/, '')}.`;
  const dump =
    files.kernel_page_tables === undefined ? undefined : parsePtdump(files.kernel_page_tables);
  const whole =
    dump === undefined || (dump.unreadable.length === 0 && dump.runs.at(-1)?.end === 2n ** 64n);
  return whole
    ? undefined
    : "The guest's page table dump is cut short or unreadable, so it was not compared whole.";
}

/**
 * With debug_pagealloc on, according to the kernel, the tables follow the page allocator's lists,
 * which nobody can read of a board: what may be free there is taken from its tables.
 */
function lacksBooks(context: CheckpointContext): boolean {
  const { checkpoint, freePages } = context.capture;
  return (
    checkpoint !== 'paging_init' &&
    checkpoint !== 'live' &&
    !freePages &&
    debugsPageallocOf(context.capture)
  );
}

/**
 * Which invariant could not be checked at a checkpoint for lack of evidence, and why; nothing is
 * guessed.
 */
function unchecked(context: CheckpointContext): string | undefined {
  return context.linear.vaMinusPa === undefined
    ? 'memstart_addr could not be read, so it is not known which memory the linear map must map where'
    : promiseUnchecked(context);
}

/** A boot that did not complete is a finding of its own, so that a known issue can cover it. */
function endFinding(end: BootEnd): Finding[] {
  if (reachedItsEnd(end)) return [];
  const after = end.lastCheckpoint
    ? `after the checkpoint ${end.lastCheckpoint}`
    : 'before the first checkpoint';
  return [
    {
      id: bootEndId(end.kind),
      kind: 'splat',
      title: `the boot did not complete: ${end.kind} ${after}`,
      detail: detailOf([end.reason]),
    },
  ];
}

function rowOf({ example: _, missing, ...row }: RecordedUpdates['sites'][number]): UpdateRow {
  return missing === undefined ? row : { ...row, missing };
}

function verdictOf(
  findings: readonly Finding[],
  end: BootEnd,
  { incomplete, stalled }: { incomplete: boolean; stalled: boolean },
): Verdict {
  if (incomplete) return 'error';
  if (findings.every(({ known }) => known !== undefined)) {
    return stalled ? 'error' : findings.length === 0 ? 'pass' : 'known';
  }
  if (reachedItsEnd(end)) return 'fail';
  return end.kind === 'hang' ? 'hang' : 'crash';
}

export function sizesOf({ capture, linear }: CheckpointContext): ReturnType<typeof linearMapSizes> {
  return linearMapSizes(runsIn(capture.ttbr1.leaves, linear.start, linear.end));
}

/**
 * Variables worth a trend, by their name in results; several symbols mean the same in different
 * releases.
 */
const trends: Record<string, string[]> = {
  linear_map_requires: ['linear_map_requires_bbml2', 'linear_map_requires_bbml3'],
  rodata_enabled: ['rodata_enabled'],
  rodata_full: ['rodata_full'],
  kfence_early_init: ['kfence_early_init'],
  arm64_use_ng_mappings: ['arm64_use_ng_mappings'],
};

/** Captured variables (the last captured value of each), and derived decisions marked as such. */
function symbolsOf(
  { decisions, generation }: Prediction,
  { captures }: Evidence,
): Record<string, string> {
  const symbols: Record<string, string> = { generation };
  for (const [name, variants] of Object.entries(trends)) {
    const value = captures
      .flatMap(({ variables }) => variants.flatMap((variant) => variables[variant] ?? []))
      .at(-1);
    if (value !== undefined) symbols[name] = String(value);
  }
  for (const [name, value] of Object.entries({
    force_pte_mapping: decisions.forcePteMapping,
    can_set_direct_map: decisions.canSetDirectMap,
    boot_cpu_bbml: decisions.bootCpuBbml,
    system_bbml: decisions.systemBbml,
  })) {
    symbols[`predicted ${name}`] = String(value);
  }
  return symbols;
}
