// SPDX-License-Identifier: GPL-2.0-only
/**
 * Breaks the model, the traits, the architecture's rules and the invariants in every way that the
 * rules of find-mutants.ts make, and says which of them no test notices:
 *
 *     npm run mutants -- [--sample N] [--seed N] [--only WORD] [--boots] [--jobs N] [--out FILE]
 *                        [--noticed FILE]
 *
 * Recorded boots and rules are asked first, then, of those that they let pass, the pure test files
 * that pass the place (--boots leaves these out). A mutant that no test passes is told apart, and
 * so is one that did not run: it proves nothing. All of it takes hours; --noticed keeps every answer
 * in a file as it comes, and a run that finds such a file goes on from there: who let a mutant pass
 * is asked again only when it has changed since. noticed.jsonl is such a file.
 */

import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { given } from '../given.ts';
import { accepted } from './accepted.ts';
import type { BootsAnswer, Visits } from './boots.ts';
import { patience, startBoots, toLoad } from './boots-worker.ts';
import type { Mutant } from './find-mutants.ts';
import { mutantsOf } from './install.ts';
import { NoticedFile } from './noticed-file.ts';
import { type Ending, formatSurvivors, keyOf, type Outcome, summaryOf } from './outcomes.ts';
import { TestServer } from './test-process.ts';
import type { ServerAnswer } from './test-server.ts';
import { rooms, Witnesses } from './witness.ts';

const root = join(import.meta.dirname, '..', '..');

const { values } = parseArgs({
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    boots: { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    out: { type: 'string' },
    noticed: { type: 'string' },
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
/** Tests that put mutants of their own into the model would switch others on. */
const hasMutants = (file: string): boolean =>
  /from '.*\/(?:mutants\/.*|conditions\.ts)'/.test(readFileSync(join(root, file), 'utf8'));
const tests = rooms
  .flatMap((room) => globSync(`test/${room}/**/*.test.ts`, { cwd: root }))
  .filter((file) => !/boot\.test|mutations\.test/.test(file) && !hasMutants(file))
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
const kept = new NoticedFile(values.noticed, all);
const { endings, passed } = kept.read();
const witnesses = new Witnesses(root);
const everyone = new Set([witnesses.boots, ...tests.map((test) => witnesses.test(test))]);
kept.tidy(everyone);

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
      const noticed = all.filter(({ id }) => isNoticed(id)).length;
      say(`${what}: ${done} of ${list.length}, ${noticed} noticed`);
    }
  };
  await Promise.all(Array.from({ length: jobs }, line));
}

/**
 * A worker that is ready to be asked, and the mutants that its boots and rules come by.
 * @param visits what an earlier worker found
 */
async function readyBoots(visits?: Visits[]) {
  const boots = startBoots({ mutants: all, ...(visits && { visits }) });
  const first = await boots.next(toLoad);
  if (first === 'silent' || first.kind !== 'ready')
    throw new Error('The recorded boots could not be loaded.');
  if (first.broken) throw new Error(`The unbroken model fails ${first.broken}.`);
  const visited = new Set(first.visits.flatMap((each) => [...each.visited]));
  return { ...boots, visits: first.visits, visited };
}

/** Asks the recorded boots and the rules about mutants that can be switched while they run. */
async function askBoots(mutants: readonly Mutant[]): Promise<void> {
  const first = await readyBoots();
  const ready = [first];
  const able = mutants.filter(({ id }) => first.visited.has(id) && !hasPassed(id, witnesses.boots));
  await forEach(able, 'recorded boots and rules', async ({ id }) => {
    const boots = ready.pop() ?? (await readyBoots(first.visits));
    boots.ask({ id });
    const answer = await boots.next();
    note(id, answer);
    // One that loops for good cannot be asked again.
    if (answer === 'silent') await boots.worker.terminate();
    else ready.push(boots);
  });
  await Promise.all(ready.map(({ worker }) => worker.terminate()));
}

function note(id: number, answer: BootsAnswer | 'silent'): void {
  if (answer === 'silent') end(id, { outcome: 'noticed', by: `no end within ${patience} s` });
  else if (answer.kind !== 'answer') return;
  else if (answer.by !== undefined) end(id, { outcome: 'noticed', by: answer.by });
  else kept.addPassed(id, witnesses.boots);
}

function end(id: number, ending: Ending): void {
  endings.set(id, ending);
  if (ending.outcome === 'noticed') kept.add(id, ending.by ?? '');
}

const hasPassed = (id: number, witness: string): boolean => passed.get(id)?.has(witness) ?? false;

/** A test file, the mutants whose places it passes, and how long it may take, in seconds. */
interface TestVisits {
  test: string;
  visited: Set<number>;
  patience: number;
}

/** Which mutants' places each test file passes, the fastest first. */
async function visitsOfTests(): Promise<TestVisits[]> {
  const visits: TestVisits[] = [];
  await forEach(tests, 'test files without a mutant', async (test) => {
    const server = new TestServer(root, test, files);
    const started = performance.now();
    const answer = await server.ask({}, toLoad);
    server.end();
    if (answer === 'silent' || answer === 'gone' || !answer.passed)
      throw new Error(`${test} fails without any mutant.`);
    const took = (performance.now() - started) / 1000;
    // A mutant that makes a walk collect millions of oddities need not be waited for.
    const patience = 20 + 10 * took;
    visits.push({ test, visited: new Set(answer.visited), patience });
  });
  return visits.sort((left, right) => left.patience - right.patience);
}

/** Notes what a test file says of a mutant; false when it did not notice it. */
function noteTest(
  id: number,
  { test, patience }: TestVisits,
  answer: ServerAnswer | 'silent',
): boolean {
  if (answer !== 'silent' && answer.passed) {
    kept.addPassed(id, witnesses.test(test));
    return false;
  }
  const by = answer === 'silent' ? `${test}: no end within ${Math.ceil(patience)} s` : test;
  // A broken import is told apart: it may break for a reason that proves nothing.
  const outcome: Outcome = answer === 'silent' || answer.ran ? 'noticed' : 'did not run';
  end(id, { outcome, by });
  return true;
}

/** Asks one test file after another about the mutants that nothing has noticed. */
async function askTests(mutants: readonly Mutant[], visits: readonly TestVisits[]) {
  for (const each of visits) {
    const { test, visited, patience } = each;
    const able = mutants.filter(({ id }) => visited.has(id) && !isNoticed(id));
    for (const { id } of able) endings.set(id, { outcome: 'survived' });
    const servers: TestServer[] = [];
    const unasked = able.filter(({ id }) => !hasPassed(id, witnesses.test(test)));
    await forEach(unasked, test, async ({ id }) => {
      let server = servers.pop() ?? new TestServer(root, test, files);
      let answer = await server.ask({ mutant: id }, patience);
      while (answer === 'gone') {
        server = new TestServer(root, test, files);
        answer = await server.ask({ mutant: id }, patience);
      }
      noteTest(id, each, answer);
      if (answer === 'silent') server.end();
      else if (server.alive) servers.push(server);
    });
    for (const server of servers) server.end();
  }
}

/** The same of a mutant that decides while its module is loaded: a process for each. */
async function askLoaded({ id }: Mutant, visits: readonly TestVisits[]): Promise<void> {
  for (const each of visits) {
    const { test, visited, patience } = each;
    if (!visited.has(id)) continue;
    endings.set(id, { outcome: 'survived' });
    if (hasPassed(id, witnesses.test(test))) continue;
    const server = new TestServer(root, test, files, id);
    const answer = await server.ask({}, patience);
    server.end();
    if (answer === 'gone') throw new Error(`${test} could not be started.`);
    if (noteTest(id, each, answer)) return;
  }
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

const isNoticed = (id: number): boolean => endings.get(id)?.outcome === 'noticed';
const isLoaded = ({ within }: Mutant): boolean => within === undefined;
say(`${all.length} mutants in ${files.length} files; ${wanted.length} are tried`);
await askBoots(wanted.filter((mutant) => !isLoaded(mutant) && !isNoticed(mutant.id)));
say(`recorded boots and rules notice ${endings.size}`);
if (!values.boots) {
  const visits = await visitsOfTests();
  await askTests(
    wanted.filter((mutant) => !isLoaded(mutant) && !isNoticed(mutant.id)),
    visits,
  );
  const loaded = wanted.filter((mutant) => isLoaded(mutant) && !isNoticed(mutant.id));
  await forEach(loaded, 'what decides at load', (mutant) => askLoaded(mutant, visits));
}
kept.tidy(everyone);
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
