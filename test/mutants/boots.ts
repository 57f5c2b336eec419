// SPDX-License-Identifier: GPL-2.0-only
import { parentPort, workerData } from 'node:worker_threads';
import type { Mutant } from './find-mutants.ts';
import { installMutants, keepMutant, visitedBy, withMutant } from './install.ts';

/*
 * A worker that asks recorded boots and rules of the model whether they notice a mutant. All
 * mutants are in the modules that it loaded; one that decides while its module is loaded needs a
 * worker of its own.
 */

/** What the worker is given. */
export interface BootsInput {
  mutants: Mutant[];
  /** What an earlier worker found, since finding it takes a minute. */
  visits?: Visits[];
  /** One that decides while its module is loaded: the worker answers for this one alone. */
  kept?: BootsQuestion;
}

/** What it is asked: a mutant, and the name of what may well notice it. */
export interface BootsQuestion {
  id: number;
  by?: string;
}

/** The mutants that would make a difference to what a witness passes. */
export interface Visits {
  witness: string;
  visited: Set<number>;
}

/** What it answers: to 'ready' once it is, then to each mutant that it is sent. */
export type BootsAnswer =
  | { kind: 'ready'; visits: Visits[]; broken?: string }
  // Between two witnesses: many boots take their time, one that takes a minute never ends.
  | { kind: 'asking' }
  | { kind: 'answer'; id: number; by?: string; threw?: boolean };

const { mutants, visits, kept } = workerData as BootsInput;
installMutants(mutants);

const say = (answer: BootsAnswer): void => parentPort?.postMessage(answer);

/** What can notice: a name, and whether it does. */
interface Witness {
  name: string;
  notices(): boolean;
}

async function boots(): Promise<Witness[]> {
  const { differences, goldenNames, sharedGolden } = await import('../model/golden.ts');
  // Each is read when it is asked: most mutants are noticed by one of the first.
  return goldenNames().map((name): Witness => {
    return { name, notices: () => differences(sharedGolden(name)).length > 0 };
  });
}

async function ruleWitnesses(): Promise<Witness[]> {
  const { rules } = await import('../model/rules.ts');
  return rules.map(({ name, holds }): Witness => ({ name, notices: () => !holds() }));
}

/**
 * Each witness with the places it passes; those that pass much first would be slow, so the fastest
 * go first.
 * @param broken is given the name of each that notices something without any mutant
 */
function measure(all: readonly Witness[], broken: string[]): Visits[] {
  const measured = all.map((witness) => {
    const started = performance.now();
    const visited = visitedBy(() => {
      if (witness.notices()) broken.push(witness.name);
    });
    return { witness: witness.name, visited, took: performance.now() - started };
  });
  return measured
    .sort((left, right) => left.took - right.took)
    .map(({ witness, visited }) => ({ witness, visited }));
}

/** Asks one after another; what throws is noticed too, and told apart. */
function ask(id: number, able: readonly Witness[]): BootsAnswer & { kind: 'answer' } {
  for (const witness of able) {
    say({ kind: 'asking' });
    try {
      if (withMutant(id, () => witness.notices())) return { kind: 'answer', id, by: witness.name };
    } catch (error) {
      return {
        kind: 'answer',
        id,
        by: `${witness.name} (${String(error).slice(0, 100)})`,
        threw: true,
      };
    }
  }
  return { kind: 'answer', id };
}

async function serve(): Promise<void> {
  const everyone = [...(await ruleWitnesses()), ...(await boots())];
  const all = new Map(everyone.map((witness) => [witness.name, witness]));
  const noticing: string[] = [];
  const measured = visits ?? measure(everyone, noticing);
  parentPort?.on('message', ({ id, by }: BootsQuestion) => {
    const able = measured
      .filter(({ visited }) => visited.has(id))
      .flatMap(({ witness }) => all.get(witness) ?? []);
    say(ask(id, [...able.filter(({ name }) => name === by), ...able]));
  });
  const [broken] = noticing;
  say({ kind: 'ready', visits: measured, ...(broken && { broken }) });
}

/** Has the mutant in force from the first import on. */
async function answerFor({ id, by }: BootsQuestion): Promise<void> {
  keepMutant(id);
  const recorded = await boots();
  const all = async () => [...recorded, ...(await ruleWitnesses())];
  // Rules read boots of their own: they are loaded only if they are asked.
  const able = recorded.some(({ name }) => name === by) ? recorded : await all();
  const named = ask(
    id,
    able.filter(({ name }) => name === by),
  );
  // What is loaded later has the mutant in force, too.
  keepMutant(id);
  say(named.by === undefined ? ask(id, await all()) : named);
}

await (kept === undefined ? serve() : answerFor(kept));
