// SPDX-License-Identifier: GPL-2.0-only
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findMutants } from './find-mutants.ts';
import { NoticedFile } from './noticed-file.ts';

const source = 'function f(x) { return x === 1 || x === 1; }';
const before = findMutants('a.ts', source, 0);
const file = join(t.testdir(), 'noticed');
const nothing = { endings: new Map(), passed: new Map() };

t.test('what came of mutants is read by the next run, whatever its numbers are then', (t) => {
  const kept = new NoticedFile(file, before);
  t.same(kept.read(), nothing, 'there is none yet');
  const twice = before.filter(({ to }) => to === '(x) !== (1)');
  t.equal(twice.length, 2);
  const second = twice[1]?.id ?? -1;
  kept.add(second, 'one');
  appendFileSync(file, '\n["cut short');
  kept.add(0, 'another');
  kept.addPassed(1, 'boots');
  kept.addPassed(1, 'x.test.ts');

  const shifted = new NoticedFile(file, findMutants('a.ts', source, 100)).read();
  t.same(
    shifted.endings,
    new Map([
      [100 + second, { outcome: 'noticed', by: 'one' }],
      [100, { outcome: 'noticed', by: 'another' }],
    ]),
  );
  t.same(
    [...shifted.passed].map(([id, by]) => [id, ...by]),
    [[101, 'boots', 'x.test.ts']],
  );
  t.same(new NoticedFile(file, []).read(), nothing, 'mutants that are no more');
  t.end();
});

t.test('the answer of a test file that is gone does not count', (t) => {
  const path = join(t.testdir(), 'noticed');
  const kept = new NoticedFile(path, before);
  kept.add(0, 'test/mutants/gone.test.ts: no end within 20 s');
  kept.add(1, 'test/mutants/noticed-file.test.ts');
  t.same([...kept.read().endings.keys()], [1]);
  t.end();
});

t.test('a file is made tidy: once each, sorted, nothing of what nobody can use', (t) => {
  const path = join(t.testdir(), 'noticed');
  const kept = new NoticedFile(path, before);
  writeFileSync(path, '["no mutant","one"]');
  kept.addPassed(2, 'boots@new');
  kept.addPassed(2, 'boots@old');
  kept.addPassed(1, 'boots@new');
  kept.add(1, 'two');
  kept.add(0, 'two');
  kept.add(0, 'two');
  const read = kept.read();
  kept.tidy(new Set(['boots@new']));
  const lines = readFileSync(path, 'utf8').split('\n');
  t.equal(lines.length, 4, 'three lines, each of them ended');
  t.same(lines, lines.toSorted().slice(1).concat(''));
  t.same(kept.read().endings, read.endings);
  t.same(kept.read().passed, new Map([[2, new Set(['boots@new'])]]));
  t.end();
});

t.test('without a file nothing is kept', (t) => {
  const none = new NoticedFile(undefined, before);
  none.add(0, 'one');
  none.addPassed(1, 'boots');
  none.tidy(new Set());
  t.same(none.read(), nothing);
  t.end();
});
