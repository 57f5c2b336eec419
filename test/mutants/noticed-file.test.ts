// SPDX-License-Identifier: GPL-2.0-only
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findMutants } from './find-mutants.ts';
import { NoticedFile } from './noticed-file.ts';

const before = findMutants('a.ts', 'function f(x) { return x === 1 || x === 1; }', 0);
const file = join(t.testdir(), 'noticed');

t.test('what was noticed is read by the next run, whatever its numbers are then', (t) => {
  const kept = new NoticedFile(file, before);
  t.same(kept.read(), new Map(), 'there is none yet');
  const twice = before.filter(({ to }) => to === '(x) !== (1)');
  t.equal(twice.length, 2);
  kept.add(twice[1]?.id ?? -1, { outcome: 'noticed', by: 'one' });
  appendFileSync(file, '\n["cut short');
  kept.add(0, { outcome: 'noticed', by: 'another' });

  const shifted = findMutants('a.ts', 'function f(x) { return x === 1 || x === 1; }', 100);
  t.same(
    new NoticedFile(file, shifted).read(),
    new Map([
      [100 + (twice[1]?.id ?? -1), { outcome: 'noticed', by: 'one' }],
      [100, { outcome: 'noticed', by: 'another' }],
    ]),
  );
  t.same(new NoticedFile(file, []).read(), new Map(), 'mutants that are no more');
  t.end();
});

t.test('without a file nothing is kept', (t) => {
  const none = new NoticedFile(undefined, before);
  none.add(0, { outcome: 'noticed', by: 'one' });
  t.same(none.read(), new Map());
  t.end();
});
