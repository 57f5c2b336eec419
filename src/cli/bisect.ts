// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { Option } from 'commander';
import { rangeOf, type Space, spaceOf } from '../../harness/laboratory/bisect-space.ts';
import {
  type BisectQuestion,
  type BisectState,
  defaultStateFile,
  newState,
  type RecordedTrial,
  readState,
  stepsFolder,
  writeState,
} from '../../harness/laboratory/bisect-state.ts';
import { bootCandidate } from '../../harness/laboratory/boot-candidate.ts';
import { farmAddress, farmHelp } from '../../harness/laboratory/farm/address.ts';
import { labelOf } from '../../harness/laboratory/plan-matrix.ts';
import { checkStore, storeFile } from '../../harness/laboratory/store-file.ts';
import { sha256 } from '../../host/cache.ts';
import { withLock } from '../../host/lock.ts';
import { say } from '../../host/say.ts';
import { nextStep } from '../bisect/search.ts';
import type { Conclusion, Task } from '../bisect/types.ts';
import { PtdiffError } from '../errors.ts';
import { present } from '../present.ts';
import { runCommand } from '../report/export/mail-layout.ts';
import { plainLine } from '../report/plain-text.ts';
import {
  type BisectionText,
  type CandidateText,
  describeSign,
  formatBisection,
  searchBound,
  trialLine,
} from '../report/terminal-bisection.ts';
import type { RunRecord } from '../report/types.ts';
import { scenarioHash } from '../scenario/identity.ts';
import { stableJson } from '../stable-json.ts';
import { exitCodes } from './exit-codes.ts';
import { addSignOptions, type SignOptions, soughtSign } from './sign-options.ts';
import type { Verb } from './verb.ts';

/** Options of `ptdiff bisect` as typed. */
interface BisectOptions extends SignOptions {
  good: string;
  bad: string;
  repo?: string;
  state?: string;
  json?: boolean;
  farm?: string;
}

/** A bisection in progress. */
interface Bisection {
  file: string;
  state: BisectState;
  space: Space;
  task: Task;
  options: BisectOptions;
}

/** Boots of two laboratories are not comparable: the emulator is part of the experiment. */
function checkLaboratory(
  { file, state }: Bisection,
  { emulator, initramfs, monitor }: RunRecord,
): void {
  const now = {
    emulator: emulator.sha256,
    initramfs: initramfs.sha256,
    ...(monitor && { monitor: monitor.sha256 }),
  };
  state.laboratory ??= now;
  if (stableJson(state.laboratory) === stableJson(now)) return;
  throw new PtdiffError(
    'usage',
    `Emulator or guest program are not those that ${file} was started with; start a new --state.`,
  );
}

/**
 * Boots a candidate in a folder of its own and writes the outcome to disk before anything else
 * happens.
 */
async function makeTrial(
  bisection: Bisection,
  { candidate, stage }: { candidate: string; stage: RecordedTrial['stage'] },
  signal: AbortSignal,
): Promise<RecordedTrial> {
  const { file, state, space, options } = bisection;
  const { sign, scenario } = state.question;
  const spec = space.specOf(candidate);
  const number = String(state.trials.length + 1).padStart(3, '0');
  const label = labelOf(candidate).slice(0, 16);
  const folder = `${number}-${label}`;
  const started = performance.now();
  const out = join(stepsFolder(file), folder);
  const store = storeFile(options.store);
  const request = {
    spec,
    scenario,
    sign,
    out,
    store,
    ...(options.qemu !== undefined && { qemu: options.qemu }),
    ...(options.farm !== undefined && { farm: farmAddress(options.farm) }),
  };
  const { record, ...told } = await bootCandidate(request, signal);
  if (record) checkLaboratory(bisection, record);
  const seconds = Math.round((performance.now() - started) / 10) / 100;
  const trial: RecordedTrial = { candidate, stage, ...told, ...(record && { folder }), seconds };
  state.trials.push(trial);
  writeState(file, state);
  return trial;
}

/**
 * Makes one step after another, each from the contents of the state file, until there is an answer.
 */
async function search(bisection: Bisection, signal: AbortSignal): Promise<Conclusion> {
  const { state, space, task, options } = bisection;
  const { trials } = state;
  const tell = async (number: number, left: number | undefined): Promise<void> => {
    const trial = present(trials[number - 1], 'trial of a bisection');
    const line = trialLine(number, trial, (await space.describe(trial.candidate)).name, left);
    if (options.json) say(line);
    else process.stdout.write(`${line}\n`);
  };
  for (let told = 0; ; ) {
    const step = await nextStep(task, trials, (answers) => space.narrow(task, answers));
    const left = step.kind === 'boot' ? step.suspects : undefined;
    for (; told < trials.length; told++)
      await tell(told + 1, told === trials.length - 1 ? left : undefined);
    if (step.kind !== 'boot') return step;
    await makeTrial(bisection, step, signal);
  }
}

/** An end of the range that is not what the user claims. */
function wrongEnd(
  { task, space, state }: Bisection,
  conclusion: Conclusion & { kind: 'wrong-end' },
): PtdiffError {
  const { candidate, expected, tally } = conclusion;
  const which = candidate === space.good ? 'good' : 'bad';
  const sought = describeSign(state.question.sign);
  const boots = tally.present + tally.absent;
  if (boots === 0)
    return new PtdiffError(
      'usage',
      `The ${which} end ${candidate} gives no answer: ${plainLine(tally.reason ?? '')} Choose another end.`,
    );
  const is = expected === 'present' ? `does not show ${sought}` : `shows ${sought}`;
  const flaky =
    expected === 'present' && task.repeat === 1
      ? ' (if it is flaky, --repeat N boots more often)'
      : '';
  return new PtdiffError(
    'usage',
    `The ${which} end ${candidate} ${is} in ${boots} boots${flaky}; nothing can be bisected.`,
  );
}

/** Everything that the answer needs: the candidates that it names, each with its command. */
async function textOf(
  { state, space, task }: Bisection,
  conclusion: Conclusion,
): Promise<BisectionText> {
  const names = new Set(state.trials.map(({ candidate }) => candidate));
  if (conclusion.kind === 'found')
    for (const { candidate } of conclusion.witnesses) names.add(candidate);
  if (conclusion.kind === 'unclear')
    for (const candidate of conclusion.candidates) names.add(candidate);
  const candidates = new Map<string, CandidateText>();
  for (const candidate of names) {
    const command = runCommand(space.specOf(candidate), state.question.scenario);
    candidates.set(candidate, { ...(await space.describe(candidate)), command });
  }
  const { sign } = state.question;
  return { task, sign, conclusion, trials: state.trials, suspects: space.suspects, candidates };
}

/** Continues from the contents of the state file, or starts. */
async function goOn(
  file: string,
  question: BisectQuestion,
  range: Awaited<ReturnType<typeof rangeOf>>,
  options: BisectOptions,
  signal: AbortSignal,
): Promise<number> {
  const before = readState(file, question, options.repeat);
  const space = await spaceOf(range, before?.line, join(stepsFolder(file), 'history.git'));
  const state = before ?? newState(question, options.repeat, space.line);
  const task: Task = {
    old: space.goodIsNewer ? space.bad : space.good,
    new: space.goodIsNewer ? space.good : space.bad,
    signSide: space.goodIsNewer ? 'old' : 'new',
    repeat: options.repeat,
  };
  const verb = space.goodIsNewer ? 'vanished' : 'appeared';
  say(
    `where ${describeSign(question.sign)} ${verb}: ${space.suspects} suspects, ${searchBound(space.suspects)} boots beside ends and proof`,
  );
  say(`${before ? `going on after ${before.trials.length} boots; ` : ''}state: ${file}`);
  const bisection: Bisection = { file, state, space, task, options };
  const conclusion = await search(bisection, signal);
  if (conclusion.kind === 'wrong-end') throw wrongEnd(bisection, conclusion);
  const text = await textOf(bisection, conclusion);
  process.stdout.write(
    options.json ? `${stableJson({ ...text, file }, 1)}\n` : formatBisection(text),
  );
  return conclusion.kind === 'found' && conclusion.proven ? exitCodes.pass : exitCodes.errors;
}

/** `ptdiff bisect`. */
async function bisect(options: BisectOptions, signal: AbortSignal): Promise<number> {
  const { sign, scenario, definition } = await soughtSign(options);
  await checkStore(storeFile(options.store));
  const range = await rangeOf(options.good, options.bad, options.repo);
  const question: BisectQuestion = {
    good: range.kind === 'git' ? range.specOf(range.good) : range.good,
    bad: range.kind === 'git' ? range.specOf(range.bad) : range.bad,
    sign,
    scenario,
    scenarioHash: scenarioHash(definition, sha256),
  };
  const file = resolve(options.state ?? defaultStateFile(question));
  const waiting = `another bisection with the state ${file} is running; this one continues when that has ended`;
  const work = () => goOn(file, question, range, options, signal);
  return withLock(`bisect-${sha256(file).slice(0, 12)}`, work, { waiting, progress: say, signal });
}

export const addBisect: Verb = (command, { signal, finish }) => {
  command
    .requiredOption(
      '--good <spec|rev>',
      'a kernel without it: debian:VERSION, git:PATH@REV, or with --repo a revision',
    )
    .requiredOption('--bad <spec|rev>', 'a kernel with it; the good one may be the newer one')
    .option('--repo <path>', 'a git repository of kernel sources; nothing is written to it')
    .option(
      '--state <file>',
      'where to keep the results so far; the same command continues from there',
    )
    .addOption(new Option('--farm <url>', farmHelp).conflicts(['qemu']))
    .option('--json', 'print the result as JSON');
  addSignOptions(command).action(async (options) => finish(await bisect(options, signal)));
};
