// SPDX-License-Identifier: GPL-2.0-only
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../host/cache.ts';
import { onHost, readTextIfAny, replaceFile } from '../../host/host-file.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { repositoryRoot } from '../../host/version.ts';
import { outcomes, type Sign, signVerdicts, stages, type Trial } from '../../src/bisect/types.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { stableJson } from '../../src/stable-json.ts';

const stateSchema = 1;

/** The question of a bisection; a state file can continue only the same question. */
export interface BisectQuestion {
  /** Specs, as the user wrote them; revisions of a repository are resolved to commits. */
  good: string;
  bad: string;
  sign: Sign;
  /** Name of the scenario, or its file. */
  scenario: string;
  /** scenarioHash() of the scenario itself: a file may change. */
  scenarioHash: string;
}

/** A boot of the bisection, with its files. */
export interface RecordedTrial extends Trial {
  /**
   * The run folder of the boot, below the folder of the steps; absent where there was no kernel to
   * boot.
   */
  folder?: string;
  /** Folder of its case below the run folder. */
  case?: string;
  seconds: number;
}

/**
 * What the boots must have in common to be comparable: hashes of emulator, guest program and realm
 * monitor.
 */
interface LaboratoryIdentity {
  emulator: string;
  initramfs: string;
  monitor?: string;
}

/**
 * The state file: everything that a bisection knows, so that it can continue after any
 * interruption.
 */
export interface BisectState {
  schema: typeof stateSchema;
  question: BisectQuestion;
  repeat: number;
  /**
   * Debian versions in question, oldest first, as the archive listed them at the start; absent for
   * a git history.
   */
  line?: { spec: string; version: string; suite: string }[];
  laboratory?: LaboratoryIdentity;
  trials: RecordedTrial[];
}

const sign = z.union([
  z.strictObject({ finding: z.string() }),
  z.strictObject({ verdict: z.enum(signVerdicts) }),
]);

const schema: z.ZodType<BisectState> = z.object({
  schema: z.literal(stateSchema),
  question: z.object({
    good: z.string(),
    bad: z.string(),
    sign,
    scenario: z.string(),
    scenarioHash: z.string(),
  }),
  repeat: z.int().min(1),
  line: z.array(z.object({ spec: z.string(), version: z.string(), suite: z.string() })).optional(),
  laboratory: z
    .object({ emulator: z.string(), initramfs: z.string(), monitor: z.string().optional() })
    .optional(),
  trials: z.array(
    z.object({
      candidate: z.string(),
      stage: z.enum(stages),
      outcome: z.enum(outcomes),
      reason: z.string().optional(),
      folder: z.string().optional(),
      case: z.string().optional(),
      seconds: z.number().nonnegative(),
    }),
  ),
});

/** Default folder for bisections. */
export const bisectionsFolder = join(repositoryRoot, 'results', 'bisections');

/** The state file of a question if the user names none. */
export function defaultStateFile(question: BisectQuestion): string {
  return join(bisectionsFolder, `${sha256(stableJson(question)).slice(0, 12)}.json`);
}

/** The folder for the run folders of the boots: beside the state file, under its name. */
export function stepsFolder(stateFile: string): string {
  return join(dirname(stateFile), `${basename(stateFile).replace(/\.json$/, '')}-steps`);
}

/**
 * The state that an earlier part of the same bisection left; undefined when there was none.
 * @throws PtdiffError(usage) when the file is damaged or contains another question
 */
export function readState(
  file: string,
  question: BisectQuestion,
  repeat: number,
): BisectState | undefined {
  const text = readTextIfAny(file);
  if (text === undefined) return undefined;
  let state: BisectState;
  try {
    state = schema.parse(JSON.parse(text));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined;
    const what = issue ? `${issue.path.join('.')}: ${issue.message}` : messageOf(error);
    throw new PtdiffError(
      'usage',
      `${file} is not the state of a bisection (${what}); name another --state.`,
      {
        cause: error,
      },
    );
  }
  if (stableJson(state.question) !== stableJson(question) || state.repeat !== repeat) {
    throw new PtdiffError(
      'usage',
      `${file} holds another bisection; name another --state, or repeat its options.`,
    );
  }
  return state;
}

/** On disk when this returns; however ptdiff ends, there is either the old state or the new one. */
export function writeState(file: string, state: BisectState): void {
  onHost(file, () => makeFolder(dirname(file)));
  replaceFile(file, `${JSON.stringify(state, undefined, 1)}\n`);
}

export function newState(
  question: BisectQuestion,
  repeat: number,
  line: BisectState['line'],
): BisectState {
  return { schema: stateSchema, question, repeat, ...(line && { line }), trials: [] };
}
