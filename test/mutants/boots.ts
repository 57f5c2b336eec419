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
}

/** What it answers: to 'ready' once it is, then to each mutant that it is sent. */
export type BootsAnswer =
  | { kind: 'ready'; visited: number[]; broken?: string }
  | { kind: 'answer'; id: number; by?: string; threw?: boolean };

const { mutants } = workerData as BootsInput;
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
function visits(
  all: readonly Witness[],
): { witness: Witness; visited: Set<number>; took: number }[] {
  const measured = all.map((witness) => {
    const started = performance.now();
    const visited = visitedBy(() => witness.notices());
    return { witness, visited, took: performance.now() - started };
  });
  return measured.sort((left, right) => left.took - right.took);
}

/** Asks one after another; what throws is noticed too, and told apart. */
function ask(id: number, able: readonly Witness[]): BootsAnswer {
  for (const witness of able) {
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
  const all = await witnesses();
  const broken = all.find((witness) => witness.notices());
  const measured = visits(all);
  const visited = new Set(measured.flatMap((each) => [...each.visited]));
  parentPort?.on('message', (id: number) =>
    say(
      ask(
        id,
        measured.filter((each) => each.visited.has(id)).map(({ witness }) => witness),
      ),
    ),
  );
  say({ kind: 'ready', visited: [...visited], ...(broken && { broken: broken.name }) });
}

await serve();
