// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { given } from '../given.ts';
import type { BootsAnswer, BootsQuestion } from '../mutants/boots.ts';
import { startBoots, toLoad } from '../mutants/boots-worker.ts';
import { mutations } from './mutations/index.ts';
import { mutantOf } from './mutations/mutation.ts';
import { noticedBy } from './mutations/noticed-by.ts';

const root = join(import.meta.dirname, '..', '..');
const mutants = mutations.map((mutation, id) =>
  mutantOf(readFileSync(join(root, mutation.file), 'utf8'), mutation, id),
);
const questionOf = (id: number): BootsQuestion => {
  const by = noticedBy.get(given(mutations[id]).rule);
  return { id, ...(by !== undefined && { by }) };
};
const nameOf = (id: number): string => `${mutations[id]?.file}: ${mutations[id]?.rule}`;

/** Whether a recorded boot or a rule differs from the prediction, or the model fails. */
const isNoticed = (answer: BootsAnswer | 'silent'): boolean =>
  answer !== 'silent' && answer.kind === 'answer' && answer.by !== undefined;

t.setTimeout(900_000);

t.test('a broken rule of the model is noticed', { timeout: 900_000 }, async (t) => {
  const { worker, ask, next } = startBoots({ mutants });
  t.teardown(() => worker.terminate());
  const ready = await next(toLoad);
  t.match(ready, { kind: 'ready' });
  t.notOk(Object.hasOwn(Object(ready), 'broken'), 'the unbroken model is exact');
  for (const { id, within } of mutants) {
    if (within === undefined) continue;
    ask(questionOf(id));
    t.ok(isNoticed(await next()), nameOf(id));
  }
});

t.test('so is one that decides while its module is loaded', { timeout: 900_000 }, async (t) => {
  for (const { id, within } of mutants) {
    if (within !== undefined) continue;
    // A model that does not even load is an error of the worker, and fails the test.
    const { worker, next } = startBoots({ mutants, kept: questionOf(id) });
    t.ok(isNoticed(await next(toLoad)), nameOf(id));
    await worker.terminate();
  }
});
