// SPDX-License-Identifier: GPL-2.0-only
import { parentPort, workerData } from 'node:worker_threads';
import type { GoldenBoot } from '../model/golden.ts';
import type { Mutant } from './find-mutants.ts';
import { installMutants, visitedBy, withMutant } from './install.ts';

/*
 * A worker that asks recorded boots and rules of the model whether they notice a mutant. All
 * mutants are in the modules that it loaded, so that one that decides while its module is loaded
 * is not for it.
 */

/** What the worker is given. */
export interface BootsInput {
  mutants: Mutant[];
  /** What an earlier worker found, since finding it takes a minute. */
  visits?: Visits[];
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

const { mutants, visits } = workerData as BootsInput;
installMutants(mutants);

const say = (answer: BootsAnswer): void => parentPort?.postMessage(answer);

/** What can notice: a name, and whether it does. */
interface Witness {
  name: string;
  notices(): boolean;
}

async function witnesses(): Promise<Witness[]> {
  const { differences, goldenNames, readGolden } = await import('../model/golden.ts');
  const { rules } = await import('../model/rules.ts');
  const boots = goldenNames().map((name): Witness => {
    // Read when it is asked: most mutants are noticed by one of the first.
    let golden: GoldenBoot | undefined;
    const read = () => {
      golden ??= readGolden(name);
      return golden;
    };
    return { name, notices: () => differences(read()).length > 0 };
  });
  return [
    ...rules.map(({ name, holds }): Witness => ({ name, notices: () => !holds() })),
    ...boots,
  ];
}

/**
 * Each witness with the places it passes; those that pass much first would be slow, so the fastest
 * go first.
 */
function measure(all: readonly Witness[]): Visits[] {
  const measured = all.map((witness) => {
    const started = performance.now();
    const visited = visitedBy(() => witness.notices());
    return { witness: witness.name, visited, took: performance.now() - started };
  });
  return measured
    .sort((left, right) => left.took - right.took)
    .map(({ witness, visited }) => ({ witness, visited }));
}

/** Asks one after another; what throws is noticed too, and told apart. */
function ask(id: number, able: readonly Witness[]): BootsAnswer {
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
  const all = new Map((await witnesses()).map((witness) => [witness.name, witness]));
  const broken = visits ? undefined : [...all.values()].find((witness) => witness.notices());
  const measured = visits ?? measure([...all.values()]);
  parentPort?.on('message', (id: number) => {
    const able = measured.filter(({ visited }) => visited.has(id));
    say(
      ask(
        id,
        able.flatMap(({ witness }) => all.get(witness) ?? []),
      ),
    );
  });
  say({ kind: 'ready', visits: measured, ...(broken && { broken: broken.name }) });
}

await serve();
