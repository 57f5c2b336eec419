// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import {
  type BisectQuestion,
  defaultStateFile,
  newState,
  readState,
  stepsFolder,
  writeState,
} from '../../../harness/laboratory/bisect-state.ts';

const question: BisectQuestion = {
  good: 'debian:7.3',
  bad: 'debian:6.16',
  sign: { finding: 'invariant/a/b@init' },
  scenario: 'max',
  scenarioHash: 'abc',
};
const line = [{ spec: 'debian:6.16.3', version: '6.16.3-1', suite: 'sid' }];

t.test('a state is read as it was written, whole at any instant', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-state-', unsafeCleanup: true });
  t.teardown(cleanup);
  const file = join(path, 'deep', 'er', 'state.json');
  t.equal(readState(file, question, 1), undefined);
  const state = newState(question, 1, line);
  state.trials.push({
    candidate: 'debian:6.16.3',
    stage: 'ends',
    outcome: 'present',
    seconds: 4,
    folder: '001-6.16.3',
  });
  writeState(file, state);
  t.same(readState(file, question, 1), state);
  t.same(readdirSync(join(path, 'deep', 'er')), ['state.json'], 'nothing half-written lies about');
  const whole = readFileSync(file, 'utf8');
  writeFileSync(`${file}.new`, whole.slice(0, 40));
  t.same(readState(file, question, 1), state, 'a killed writer leaves the old state');
});

t.test('another question, another number of boots, or a damaged file is refused', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-state-', unsafeCleanup: true });
  t.teardown(cleanup);
  const file = join(path, 'state.json');
  writeState(file, newState(question, 1, line));
  t.throws(() => readState(file, { ...question, bad: 'debian:6.17' }, 1), {
    message: /another bisection/,
  });
  t.throws(() => readState(file, { ...question, scenarioHash: 'abd' }, 1), {
    message: /another bisection/,
  });
  t.throws(() => readState(file, question, 2), { message: /holds another bisection/ });
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.slice(0, -20));
  t.throws(() => readState(file, question, 1), { message: /is not the state of a bisection/ });
  writeFileSync(file, text.replace('"schema": 1', '"schema": 2'));
  t.throws(() => readState(file, question, 1), {
    message: /is not the state of a bisection \(schema/,
  });
  mkdirSync(join(path, 'folder.json'));
  t.throws(() => readState(join(path, 'folder.json'), question, 1), { message: /Cannot use/ });
});

t.test('each question has a place of its own, and its boots lie beside the state', async (t) => {
  t.not(defaultStateFile(question), defaultStateFile({ ...question, bad: 'debian:6.17' }));
  t.equal(stepsFolder('/a/b.json'), '/a/b-steps');
  t.equal(stepsFolder('/a/b'), '/a/b-steps');
});
