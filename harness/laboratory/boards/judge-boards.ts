// SPDX-License-Identifier: GPL-2.0-only
import { basename } from 'node:path';
import { withScratch } from '../../../host/cache.ts';
import { withLockedFolder } from '../../../host/lock.ts';
import { say } from '../../../host/say.ts';
import type { FetchOptions } from '../../../images/debian/apt.ts';
import { loadKnownIssues } from '../../../results/known-issues.ts';
import { RunDirectory } from '../../../results/run-directory.ts';
import type { CaseResult } from '../../../src/diff/types.ts';
import { PtdiffError } from '../../../src/errors.ts';
import type { Board } from '../../../src/evidence/board.ts';
import { dumpedBoard } from '../../../src/evidence/board-dump.ts';
import { areIdentified, bootCpus } from '../../../src/evidence/board-scenario.ts';
import type { FleetBoard } from '../../../src/report/fleet.ts';
import type { RunRecord } from '../../../src/report/types.ts';
import { knownIssuesFolder } from '../laboratory.ts';
import type { LoadedKernel } from '../loaded-kernel.ts';
import { endedRunRecord, newRunRecord } from '../run-record.ts';
import { kernelOf } from './board-kernel.ts';
import { judgeBoard } from './judge-board.ts';
import { judgeDump } from './judge-dump.ts';
import { judgeUnknown } from './judge-unknown.ts';
import { readArchive } from './read-archive.ts';
import { isDump, readDump } from './read-dump.ts';
import { wholeBoard } from './whole-board.ts';

/** What `ptdiff judge` is asked for. */
export interface JudgeRequest {
  /** Archives of `collect`, and dumps of memory. */
  files: string[];
  /** Names of the boards, in the order of the files; the others are called as their files. */
  labels: string[];
  /** The kernel of all of them, where it is not to be found by their release. */
  kernel?: string;
  /** Run folder. */
  out: string;
}

export interface JudgedBoards {
  cases: CaseResult[];
  /** How many archives could not be judged; each has been told about. */
  refused: number;
  /** Those of whose linear map something is predicted. */
  fleet: FleetBoard[];
}

/** A name for a board that is also the name of a folder: letters, digits and some marks. */
function labelOf(file: string, given: string | undefined): string {
  const stem = given ?? basename(file).replace(/(\.tar)?(\.gz)?$/, '');
  const label = stem.replaceAll(/[^A-Za-z0-9._+-]/g, '-').slice(0, 80);
  return label === '' ? 'board' : label;
}

/** Names of the cases: one for each file, none of them twice. */
export function caseNames({ files, labels }: Pick<JudgeRequest, 'files' | 'labels'>): string[] {
  const taken = new Set<string>();
  return files.map((file, index) => {
    const wanted = `board+${labelOf(file, labels[index])}`;
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}-${number}`;
    taken.add(name);
    return name;
  });
}

/** What stands in run.json where a run that boots has its emulator. */
const noEmulator = {
  version: 'none',
  sha256: '',
  origin: 'boards, read by ptdiff collect',
  notes: [],
};

interface Judged extends ReturnType<typeof judgeBoard> {
  /** Absent where it could not be had. */
  kernel?: LoadedKernel;
}

async function runRecord(request: JudgeRequest, judged: readonly Judged[]): Promise<RunRecord> {
  const loaded = judged.flatMap(({ kernel }) => kernel ?? []);
  const kernels = new Map(loaded.map((kernel) => [kernel.image.spec, kernel]));
  return newRunRecord({
    asked: {
      kernels: request.kernel === undefined ? [] : [request.kernel],
      scenarios: [],
      jobs: 1,
    },
    plan: {
      scenarios: judged.map(({ scenario }) => scenario),
      planned: judged.map(({ result }) => ({
        case: result.case,
        kernel: result.kernel.spec,
        scenario: result.scenario,
        depth: 'full',
      })),
      leftOut: [],
      unfit: [],
    },
    kernels: [...kernels.values()],
    unavailable: [],
    awaited: [],
    emulator: noEmulator,
    initramfs: { sha256: '' },
  });
}

/** What `collect` leaves of a board; of a dump, collect is run here. */
async function boardIn(file: string, options: FetchOptions): Promise<Board> {
  if (!(await isDump(file))) return readArchive(file);
  return withScratch(async (scratch) => readArchive(await readDump(file, scratch, options)));
}

/** One archive or dump, from its file to its result. */
async function judgeFile(
  file: string,
  name: string,
  { request, directory }: { request: JudgeRequest; directory: RunDirectory },
  signal: AbortSignal,
): Promise<Judged> {
  const options = { progress: say, signal };
  const given = await boardIn(file, options);
  const known = await loadKnownIssues(knownIssuesFolder);
  const place = { name, directory: directory.caseDirectory(name) };
  if (given.collected.source === 'ptdump')
    return judgeDump(dumpedBoard(given, file), place, known, request.kernel);
  const board = wholeBoard(given, file);
  if (!areIdentified(bootCpus(board, board.vmcoreinfo)))
    return judgeUnknown(board, 'The ID registers of its CPUs are not known.', place, known);
  const found = await kernelOf(board, board.vmcoreinfo, request.kernel, options);
  if ('lacks' in found) return judgeUnknown(board, found.lacks, place, known);
  const { kernel } = found;
  return { ...judgeBoard(board, kernel, place, known), kernel };
}

/**
 * Judges archives of `collect` into a run folder: its cases are like those of any run. An archive
 * that cannot be judged is told about, and the others are judged all the same.
 * @throws PtdiffError where not one could be judged: what is wrong with the first
 */
export async function judgeBoards(
  request: JudgeRequest,
  signal: AbortSignal,
): Promise<JudgedBoards> {
  return withLockedFolder(request.out, () => judgeLocked(request, signal), {
    waiting: `another ptdiff is writing into ${request.out}; this one continues when that has ended`,
    progress: say,
    signal,
  });
}

async function judgeLocked(request: JudgeRequest, signal: AbortSignal): Promise<JudgedBoards> {
  const directory = new RunDirectory(request.out);
  const names = caseNames(request);
  const judged: Judged[] = [];
  const failures: PtdiffError[] = [];
  for (const [index, file] of request.files.entries()) {
    signal.throwIfAborted();
    try {
      const name = names[index] ?? 'board';
      judged.push(await judgeFile(file, name, { request, directory }, signal));
    } catch (error) {
      if (!(error instanceof PtdiffError) || error.fault === 'harness') throw error;
      failures.push(error);
      if (request.files.length > 1) say(error.message);
    }
  }
  const [failure] = failures;
  if (judged.length === 0 && failure !== undefined) throw failure;
  const cases = judged.map(({ result }) => result);
  for (const result of cases) directory.append(result);
  directory.writeRun(endedRunRecord(await runRecord(request, judged), cases));
  const fleet = judged.flatMap(({ inFleet }) => inFleet ?? []);
  return { cases, refused: failures.length, fleet };
}
