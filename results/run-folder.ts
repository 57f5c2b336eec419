// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { z } from 'zod';
import { readTextIfAny } from '../host/host-file.ts';
import { diffLeaves, type LeafDifferences } from '../src/diff/compare.ts';
import type { KnownIssue } from '../src/diff/match-known.ts';
import { runsIn } from '../src/diff/runs.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { messageOf, PtdiffError } from '../src/errors.ts';
import type { Evidence } from '../src/evidence/capture.ts';
import { type CaseMaterial, type DrawnPrediction, makeDossier } from '../src/report/dossier.ts';
import { shellWord } from '../src/report/export/mail-layout.ts';
import { recordedChanges } from '../src/report/recorded-changes.ts';
import {
  type CaseDossier,
  type Report,
  type RunRecord,
  runSchemaVersion,
} from '../src/report/types.ts';
import { differencesSchema, predictionSchema } from './case-schema.ts';
import { readEvidence } from './evidence-files.ts';
import { hasRecording, readRecording } from './recording-file.ts';
import { parseResults } from './run-directory.ts';
import { caseResultSchema, runRecordSchema } from './schema.ts';

/** Names of the files in a run folder, and in the folder of a case below `cases`. */
export const runFiles = {
  run: 'run.json',
  cases: 'cases.jsonl',
  report: 'report.html',
  caseFolders: 'cases',
} as const;
export const caseFiles = {
  prediction: 'prediction.json',
  /** How the linear map differs, according to the judge; older folders do not have this file. */
  differences: 'differences.json',
  /** Written with the first capture; a case that was never booted does not have it. */
  registers: 'registers.json',
  repro: 'repro.sh',
  /** Everything the boot was made from, for packing the case. */
  inputs: 'inputs.json',
} as const;

/** What is wrong with a value, in one line: the first place and its reason. */
export function complaint(error: unknown): string {
  const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
  if (!issue) return messageOf(error);
  return issue.path.length > 0 ? `${issue.path.join('.')}: ${issue.message}` : issue.message;
}

/**
 * Reads run.json of a run folder.
 *
 * @throws PtdiffError (usage) when the folder is not a run folder, or was written by a version with
 * another schema.
 */
export function readRunRecord(folder: string): RunRecord {
  const path = join(folder, runFiles.run);
  const text = readTextIfAny(path);
  if (text === undefined) {
    throw new PtdiffError(
      'usage',
      `${folder} is not a run folder: it has no ${runFiles.run}; name the --out of a run.`,
    );
  }
  try {
    const value: unknown = JSON.parse(text);
    const written = z.object({ schema: z.number() }).parse(value).schema;
    if (written !== runSchemaVersion) {
      throw new Error(
        `it has schema ${written}, this ptdiff reads ${runSchemaVersion}; use the version that wrote it`,
      );
    }
    return runRecordSchema.parse(value);
  } catch (error) {
    throw new PtdiffError('usage', `${path} cannot be used: ${complaint(error)}.`, {
      cause: error,
    });
  }
}

/**
 * Parses the text of cases.jsonl: the cases in the order in which they were written; of a case that
 * was run again, only its last result. A last line without a newline was left by a killed harness
 * and does not count.
 *
 * @throws PtdiffError (usage) with the number of the first complete line that is not a case.
 */
export function parseCaseLines(text: string, path: string): CaseResult[] {
  const results = parseResults(text).results.map((line, index): CaseResult => {
    const { data: result, error } = caseResultSchema.safeParse(line);
    if (result !== undefined) return result;
    throw new PtdiffError(
      'usage',
      `${path} line ${index + 1} is not a case: ${complaint(error)}.`,
      {
        cause: error,
      },
    );
  });
  return lastOfEach(results);
}

/** The last result of each case, in the order of these results. */
export function lastOfEach(results: readonly CaseResult[]): CaseResult[] {
  const cases = new Map<string, CaseResult>();
  for (const result of results) {
    cases.delete(result.case);
    cases.set(result.case, result);
  }
  return [...cases.values()];
}

/** Reads cases.jsonl of a run folder; if no case has ended yet, there is none. */
export function readCaseLines(folder: string): CaseResult[] {
  const path = join(folder, runFiles.cases);
  return parseCaseLines(readTextIfAny(path) ?? '', path);
}

/**
 * The prediction of a case; undefined when it is missing, or, with a sentence added to
 * `unreadable`, when it is broken.
 */
export function readPrediction(path: string, unreadable: string[]): CaseMaterial['prediction'] {
  const text = readTextIfAny(path);
  if (text === undefined) return undefined;
  try {
    return predictionSchema.parse(JSON.parse(text));
  } catch (error) {
    unreadable.push(`${path} cannot be used: ${complaint(error)}.`);
    return undefined;
  }
}

/**
 * How a case differs, according to the judge. If its folder is older and does not say, or the file
 * is broken, the comparison is repeated.
 */
function readDifferences(
  directory: string,
  { prediction, evidence }: Pick<StoredCase, 'prediction' | 'evidence'>,
  unreadable: string[],
): LeafDifferences {
  const kept = readKeptDifferences(join(directory, caseFiles.differences), unreadable);
  if (prediction === undefined) return kept;
  const { start, end } = prediction.linearRegion;
  const differences: LeafDifferences = {};
  for (const { checkpoint, ttbr1 } of evidence?.captures ?? []) {
    const predicted = prediction.checkpoints[checkpoint]?.leaves;
    if (predicted === undefined) continue;
    differences[checkpoint] =
      kept[checkpoint] ?? diffLeaves(predicted, runsIn(ttbr1.leaves, start, end));
  }
  return differences;
}

function readKeptDifferences(path: string, unreadable: string[]): LeafDifferences {
  const text = readTextIfAny(path);
  if (text === undefined) return {};
  try {
    return differencesSchema.parse(JSON.parse(text)).checkpoints;
  } catch (error) {
    unreadable.push(`${path} cannot be used: ${complaint(error)}.`);
    return {};
  }
}

/** The evidence of a case, in the same way. */
export function readEvidenceOf(directory: string, unreadable: string[]): Evidence | undefined {
  if (readTextIfAny(join(directory, caseFiles.registers)) === undefined) return undefined;
  try {
    return readEvidence(directory);
  } catch (error) {
    unreadable.push(`The evidence in ${directory} cannot be used: ${complaint(error)}.`);
    return undefined;
  }
}

/** What the recording of a case tells, when a report asks for it. */
function changesOf(directory: string, evidence: Evidence | undefined): CaseMaterial['changes'] {
  if (evidence === undefined || !hasRecording(directory)) return undefined;
  return () => {
    try {
      const recording = readRecording(directory);
      return recording && recordedChanges(recording, evidence);
    } catch (error) {
      return messageOf(error);
    }
  };
}

/** Prediction and evidence of one case, as far as its files can be read. */
interface StoredCase {
  prediction?: DrawnPrediction;
  evidence?: Evidence;
  /** Files that could not be read, one sentence each. */
  unreadable: string[];
}

/** Reads the prediction and the evidence of a case. */
export function readStoredCase(folder: string, name: string): StoredCase {
  const directory = join(folder, runFiles.caseFolders, name);
  const unreadable: string[] = [];
  const evidence = readEvidenceOf(directory, unreadable);
  const prediction = readPrediction(join(directory, caseFiles.prediction), unreadable);
  return { ...(prediction && { prediction }), ...(evidence && { evidence }), unreadable };
}

/**
 * Reads the folder of a case; a case that died early has few of the files, and those that exist are
 * used.
 */
export function readDossier(folder: string, name: string): CaseDossier {
  const { prediction, evidence, unreadable } = readStoredCase(folder, name);
  const directory = join(folder, runFiles.caseFolders, name);
  const repro = join(directory, caseFiles.repro);
  const material: CaseMaterial = {
    prediction,
    differences: readDifferences(directory, { prediction, evidence }, unreadable),
    captures: evidence?.captures ?? [],
    probes: evidence?.probes,
    changes: changesOf(directory, evidence),
    console: evidence?.console,
    repro: readTextIfAny(repro) === undefined ? undefined : `sh ${shellWord(repro)}`,
  };
  return { ...makeDossier(name, material), ...(unreadable.length > 0 ? { unreadable } : {}) };
}

/** What a case did not look at, where its run says so: it was booted early. */
export function notLookedAtBy(
  { planned }: Pick<RunRecord, 'planned'>,
  name: string,
): Pick<CaseDossier, 'notLookedAt'> {
  const notLookedAt = planned.find((each) => each.case === name)?.notLookedAt;
  return notLookedAt ? { notLookedAt } : {};
}

/** The cases of a run in planned order; the order in which they ended is random. */
export function readCases(folder: string, { planned }: Pick<RunRecord, 'planned'>): CaseResult[] {
  const place = new Map(planned.map(({ case: name }, index) => [name, index]));
  const order = ({ case: name }: CaseResult) => place.get(name) ?? planned.length;
  return readCaseLines(folder).sort((left, right) => order(left) - order(right));
}

/**
 * Everything that a report on a run folder needs. Cases are in planned order.
 *
 * @param wanted the cases whose dossiers are read: their files are most of a run folder
 */
export function readRunFolder(
  folder: string,
  knownIssues: readonly KnownIssue[],
  wanted: (result: CaseResult) => boolean = () => true,
): Report {
  const run = readRunRecord(folder);
  const cases = readCases(folder, run);
  const dossiers = new Map<string, CaseDossier>();
  for (const { case: name } of cases.filter(wanted))
    dossiers.set(name, { ...readDossier(folder, name), ...notLookedAtBy(run, name) });
  return { run, cases, dossiers, knownIssues: [...knownIssues], folder };
}
