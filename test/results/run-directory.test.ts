// SPDX-License-Identifier: GPL-2.0-only
import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseResults, RunDirectory } from '../../results/run-directory.ts';
import type { CaseResult } from '../../src/diff/types.ts';

const result = (name: string): CaseResult => ({
  case: name,
  kernel: {
    spec: 'debian:7.3',
    release: '7.3.4',
    flavour: 'arm64',
    sha256: '00',
    generation: '7.3',
  },
  scenario: 'default',
  verdict: 'pass',
  findings: [],
  linearMap: {},
  symbols: {},
  seconds: 1.5,
});

t.test('goes on after a kill in the middle of a line', (t) => {
  const path = t.testdir();
  const first = new RunDirectory(join(path, 'out'));
  first.append(result('a'));
  first.append(result('b'));
  appendFileSync(join(path, 'out/cases.jsonl'), '{"case":"c","ker');
  const second = new RunDirectory(join(path, 'out'));
  t.same(
    second.finished().map((each) => each.case),
    ['a', 'b'],
  );
  second.append(result('ç'));
  t.same(second.finished(), [result('a'), result('b'), result('ç')]);
  t.end();
});

t.test('a new folder has nothing', (t) => {
  const run = new RunDirectory(join(t.testdir(), 'new'));
  t.same(run.finished(), []);
  t.end();
});

t.test('run.json is replaced whole', (t) => {
  const path = t.testdir();
  const run = new RunDirectory(path);
  run.writeRun({ counts: 1 });
  run.writeRun({ counts: 2 });
  const text = readFileSync(join(path, 'run.json'), 'utf8');
  t.same(JSON.parse(text), { counts: 2 });
  t.match(text, /\n$/);
  t.end();
});

t.test('a line in the middle that is no JSON is not skipped', (t) => {
  t.throws(() => parseResults('{"case":"a"}\nrubbish\n{"case":"b"}\n'), {
    fault: 'usage',
    message: /Line 2/,
  });
  t.end();
});

t.test('names of cases cannot leave the folder', (t) => {
  const run = new RunDirectory(t.testdir());
  t.throws(() => run.caseDirectory('../x'), { name: 'PtdiffError', fault: 'harness' });
  t.throws(() => run.caseDirectory('..'), { name: 'PtdiffError', fault: 'harness' });
  t.ok(run.caseDirectory('debian:7.3.4~bpo13+1@noalias-kfence'));
  t.end();
});
