// SPDX-License-Identifier: GPL-2.0-only
/**
 * Breaks the model, the traits, the architecture's rules and the invariants in every way that the
 * rules of find-mutants.ts make, and says which of them no test notices:
 *
 *     npm run mutants -- [--sample N] [--seed N] [--only WORD] [--boots] [--jobs N] [--out FILE]
 *
 * Recorded boots and rules are asked first, then, of those that they let pass, the pure test files
 * that pass the place (--boots leaves these out). A mutant that no test passes is told apart, and
 * so is one that did not run: it proves nothing.
 */

import { once } from 'node:events';
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { execa } from 'execa';
import { dir } from 'tmp-promise';
import { countTap } from '../count-tap.ts';
import { given } from '../given.ts';
import { accepted } from './accepted.ts';
import type { BootsAnswer, BootsInput } from './boots.ts';
import type { Mutant } from './find-mutants.ts';
import { mutantsOf } from './install.ts';
import { type Ending, formatSurvivors, keyOf, type Outcome, summaryOf } from './outcomes.ts';

const root = join(import.meta.dirname, '..', '..');
/** A mutant that makes a boot take so much longer loops for good. Seconds. */
const patience = 60;
/** Seconds in which the recorded boots are read and looked at once, on a busy host. */
const toLoad = 600;

const { values } = parseArgs({
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    boots: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string' },
  },
});

const jobs = Number(values.jobs);
const files = [
  'src/model/**/*.ts',
  'src/linux/traits.ts',
  'src/vmsa/*.ts',
  'src/diff/invariants/*.ts',
]
  .flatMap((pattern) => globSync(pattern, { cwd: root }))
  .sort();
const tests = ['model', 'diff', 'vmsa', 'linux', 'scenario', 'compare']
  .flatMap((room) => globSync(`test/${room}/**/*.test.ts`, { cwd: root }))
  .filter((file) => !/boot\.test|mutation\.test|model\/golden\.test/.test(file))
  .sort();

/** The mutants to be tried: all, or so many of them by a seed. */
function chosen(all: readonly Mutant[]): Mutant[] {
  const wanted = all.filter(({ file }) => file.includes(values.only));
  if (values.sample === undefined) return wanted;
  const seed = Number(values.seed);
  // Numbers of Knuth's multiplicative hash: the same seed takes the same mutants.
  const place = ({ id }: Mutant) => Math.imul(id + 1 + seed * 7919, 2654435761) >>> 0;
  return wanted
    .toSorted((left, right) => place(left) - place(right))
    .slice(0, Number(values.sample));
}

const all = mutantsOf(files);
const wanted = chosen(all);
const endings = new Map<number, Ending>();

/** A worker with all mutants in it, none or one of them in force from the start. */
function startBoots(input: BootsInput): {
  worker: Worker;
  next(seconds?: number): Promise<BootsAnswer | 'silent'>;
} {
  const worker = new Worker(join(import.meta.dirname, 'boots.ts'), {
    workerData: input,
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });
  const next = async (seconds = patience) => {
    const waiting = new AbortController();
    const { signal } = waiting;
    try {
      return await Promise.race([
        once(worker, 'message', { signal }).then(([answer]: BootsAnswer[]) => given(answer)),
        setTimeout(seconds * 1000, 'silent' as const, { signal }),
      ]);
    } finally {
      waiting.abort();
    }
  };
  return { worker, next };
}

/** Does something for each of a list, so many at once, and says how far it is. */
async function forEach<T>(
  list: readonly T[],
  what: string,
  one: (each: T) => Promise<void>,
): Promise<void> {
  let [next, done, told] = [0, 0, performance.now()];
  const line = async () => {
    while (next < list.length) {
      await one(given(list[next++]));
      done++;
      if (performance.now() - told < 15_000) continue;
      told = performance.now();
      say(`${what}: ${done} of ${list.length}, ${endings.size} noticed`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, line));
}

/** A worker that is ready to be asked, and the mutants that its boots and rules come by. */
async function readyBoots() {
  const boots = startBoots({ mutants: all });
  const first = await boots.next(toLoad);
  if (first === 'silent' || first.kind !== 'ready')
    throw new Error('The recorded boots could not be loaded.');
  if (first.broken) throw new Error(`The unbroken model fails ${first.broken}.`);
  return { ...boots, visited: new Set(first.visited) };
}

/** Asks the recorded boots and the rules about mutants that can be switched while they run. */
async function askBoots(mutants: readonly Mutant[]): Promise<void> {
  const ready: Awaited<ReturnType<typeof readyBoots>>[] = [];
  await forEach(mutants, 'recorded boots and rules', async ({ id }) => {
    const boots = ready.pop() ?? (await readyBoots());
    if (boots.visited.has(id)) {
      boots.worker.postMessage(id);
      const answer = await boots.next();
      note(id, answer);
      // One that loops for good cannot be asked again.
      if (answer === 'silent') return void (await boots.worker.terminate());
    }
    ready.push(boots);
  });
  await Promise.all(ready.map(({ worker }) => worker.terminate()));
}

/** Asks about a mutant that decides while its module is loaded. */
async function askLoaded({ id }: Mutant): Promise<void> {
  const { worker, next } = startBoots({ mutants: all, kept: id });
  note(id, await next(toLoad));
  await worker.terminate();
}

function note(id: number, answer: BootsAnswer | 'silent'): void {
  if (answer === 'silent')
    endings.set(id, { outcome: 'noticed', by: `no end within ${patience} s` });
  else if (answer.kind === 'answer' && answer.by !== undefined)
    endings.set(id, { outcome: 'noticed', by: answer.by });
}

/** Runs one test file with something in its environment. */
async function runTest(file: string, env: Record<string, string>) {
  const hook = join(import.meta.dirname, 'child.ts');
  const result = await execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', hook, file],
    {
      cwd: root,
      reject: false,
      stdin: 'ignore',
      timeout: patience * 5_000,
      env: { NO_COLOR: '1', TAP_TIMEOUT: String(patience * 5), ...env },
    },
  );
  return { ...countTap(result.stdout ?? ''), result };
}

/** Which mutants' places each test file passes; a file that fails unbroken can notice nothing. */
async function visitsOfTests(): Promise<Map<string, Set<number>>> {
  const scratch = await dir({ prefix: 'ptdiff-mutants-', unsafeCleanup: true });
  const visits = new Map<string, Set<number>>();
  await forEach(tests, 'test files without a mutant', async (test) => {
    const log = join(scratch.path, `${tests.indexOf(test)}.json`);
    const { failed, troubles } = await runTest(test, { PTDIFF_VISITS: [log, ...files].join(':') });
    if (failed + troubles.length > 0)
      throw new Error(`${test} fails without any mutant: ${troubles.join(', ')}`);
    visits.set(test, new Set(JSON.parse(readFileSync(log, 'utf8'))));
  });
  await scratch.cleanup();
  return visits;
}

/** Asks test files until one notices. */
async function askTests(mutant: Mutant, visits: ReadonlyMap<string, Set<number>>): Promise<void> {
  const number = mutant.id - (all.find(({ file }) => file === mutant.file)?.id ?? 0);
  const able = [...visits].filter(([, visited]) => visited.has(mutant.id)).map(([test]) => test);
  if (able.length > 0) endings.set(mutant.id, { outcome: 'survived' });
  for (const test of able) {
    const { failed, passed, troubles, result } = await runTest(test, {
      PTDIFF_MUTANT: `${mutant.file}#${number}`,
    });
    if (failed > 0 || result.timedOut)
      return void endings.set(mutant.id, { outcome: 'noticed', by: test });
    if (troubles.length === 0 && !result.failed) continue;
    // Without one assertion the test may not even have begun.
    const outcome: Outcome = passed > 0 ? 'noticed' : 'did not run';
    return void endings.set(mutant.id, {
      outcome,
      by: `${test}: ${troubles[0] ?? result.exitCode}`,
    });
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const isLoaded = ({ within }: Mutant): boolean => within === undefined;
say(`${all.length} mutants in ${files.length} files; ${wanted.length} are tried`);
await askBoots(wanted.filter((mutant) => !isLoaded(mutant)));
await forEach(wanted.filter(isLoaded), 'what decides at load', askLoaded);
say(`recorded boots and rules notice ${endings.size}`);
const open = wanted.filter(({ id }) => !endings.has(id));
if (!values.boots) {
  const visits = await visitsOfTests();
  await forEach(open, 'test files', (mutant) => askTests(mutant, visits));
}
const outcomes = wanted.map((mutant) => ({
  mutant,
  ending: endings.get(mutant.id) ?? ({ outcome: 'not passed' } as const),
}));
process.stdout.write(summaryOf(outcomes, accepted));
const survivors = formatSurvivors(outcomes, accepted);
if (values.out === undefined) process.stdout.write(survivors);
else writeFileSync(values.out, survivors);
const unexplained = outcomes.filter(
  ({ mutant, ending }) => ending.outcome !== 'noticed' && !accepted.has(keyOf(mutant)),
);
process.exitCode = unexplained.length > 0 ? 1 : 0;
