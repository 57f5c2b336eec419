import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { KnownIssue } from '../src/diff/match-known.ts';
import type { CaseResult } from '../src/diff/types.ts';
import { messageOf, PtdiffError } from '../src/errors.ts';
import { type CaseMaterial, makeDossier } from '../src/report/dossier.ts';
import { type CaseDossier, type Report, type RunRecord, runSchemaVersion } from '../src/report/types.ts';
import { evidenceSchema, predictionSchema } from './case-schema.ts';
import { caseResultSchema, runRecordSchema } from './schema.ts';

/** Names of the files of a run folder, and of the folder of a case below `cases`. */
export const runFiles = { run: 'run.json', cases: 'cases.jsonl', report: 'report.html', caseFolders: 'cases' } as const;
export const caseFiles = {
  prediction: 'prediction.json',
  evidence: 'evidence.json',
  console: 'console.log',
  repro: 'repro.sh',
} as const;

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw new PtdiffError('host', `Cannot read ${path}: ${messageOf(error)}.`, { cause: error });
  }
}

/** What is wrong with a value, in one line: the first place and its reason. */
function complaint(error: unknown): string {
  if (!(error instanceof z.ZodError)) return messageOf(error);
  const [first] = error.issues;
  return first.path.length > 0 ? `${first.path.join('.')}: ${first.message}` : first.message;
}

/**
 * Reads run.json of a run folder.
 *
 * @throws PtdiffError (usage) when the folder is no run folder, or was written by a version with another schema.
 */
export async function readRunRecord(folder: string): Promise<RunRecord> {
  const path = join(folder, runFiles.run);
  const text = await readIfThere(path);
  if (text === undefined) {
    throw new PtdiffError('usage', `${folder} is no run folder: it holds no ${runFiles.run}; name the --out of a run.`);
  }
  try {
    const value: unknown = JSON.parse(text);
    const written = z.object({ schema: z.number() }).parse(value).schema;
    if (written !== runSchemaVersion) {
      throw new Error(`it has schema ${written}, this ptdiff reads ${runSchemaVersion}; use the version that wrote it`);
    }
    return runRecordSchema.parse(value);
  } catch (error) {
    throw new PtdiffError('usage', `${path} cannot be used: ${complaint(error)}.`, { cause: error });
  }
}

/** cases.jsonl as read. */
export interface CaseLines {
  /** In the order in which they were written; where a case was run again, its last result only. */
  cases: CaseResult[];
  /** Bytes of whole lines: whoever appends cuts the file here first, or a torn line would spoil the next one. */
  intactBytes: number;
}

/**
 * Parses the text of cases.jsonl. A last line without its newline is what a killed harness left: it does not count.
 *
 * @throws PtdiffError (usage) with the number of the first whole line that is no case.
 */
export function parseCaseLines(text: string, path: string): CaseLines {
  const intact = text.slice(0, text.lastIndexOf('\n') + 1);
  const cases = new Map<string, CaseResult>();
  for (const [index, line] of intact.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const result = caseResultSchema.parse(JSON.parse(line));
      cases.delete(result.case);
      cases.set(result.case, result);
    } catch (error) {
      throw new PtdiffError('usage', `${path} line ${index + 1} is no case: ${complaint(error)}.`, { cause: error });
    }
  }
  return { cases: [...cases.values()], intactBytes: new TextEncoder().encode(intact).length };
}

/** Reads cases.jsonl of a run folder; a run that has ended no case yet has none. */
export async function readCaseLines(folder: string): Promise<CaseLines> {
  const path = join(folder, runFiles.cases);
  return parseCaseLines((await readIfThere(path)) ?? '', path);
}

/** A file of a case through its schema; undefined when it is missing, and a sentence more in `unreadable` when it is broken. */
async function readJson<T>(path: string, schema: z.ZodType<T>, unreadable: string[]): Promise<T | undefined> {
  const text = await readIfThere(path);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    unreadable.push(`${path} cannot be used: ${complaint(error)}.`);
    return undefined;
  }
}

/** Reads the folder of a case; a case that died early has few of the files, and what is there is used. */
export async function readDossier(folder: string, name: string): Promise<CaseDossier> {
  const at = (file: string) => join(folder, runFiles.caseFolders, name, file);
  const unreadable: string[] = [];
  const evidence = await readJson(at(caseFiles.evidence), evidenceSchema, unreadable);
  const repro = at(caseFiles.repro);
  const material: CaseMaterial = {
    prediction: await readJson(at(caseFiles.prediction), predictionSchema, unreadable),
    captures: evidence?.captures ?? [],
    probes: evidence?.probes,
    console: await readIfThere(at(caseFiles.console)),
    repro: (await readIfThere(repro)) === undefined ? undefined : `sh ${repro}`,
  };
  return { ...makeDossier(name, material), ...(unreadable.length > 0 ? { unreadable } : {}) };
}

/** Everything that a report of a run folder is made of. Cases come in the order of the run's plan. */
export async function readRunFolder(folder: string, knownIssues: readonly KnownIssue[]): Promise<Report> {
  const run = await readRunRecord(folder);
  const { cases } = await readCaseLines(folder);
  const place = new Map(run.planned.map((planned, index) => [planned.case, index]));
  const order = ({ case: name }: CaseResult) => place.get(name) ?? run.planned.length;
  cases.sort((left, right) => order(left) - order(right));
  const dossiers = new Map<string, CaseDossier>();
  for (const { case: name } of cases) dossiers.set(name, await readDossier(folder, name));
  return { run, cases, dossiers, knownIssues: [...knownIssues] };
}
