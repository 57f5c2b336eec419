// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Witnesses } from './witness.ts';

t.test('a test has another name when it, what it imports, or its data has changed', (t) => {
  const root = t.testdir({
    src: { 'a.ts': "import './b.ts';", 'b.ts': 'export const b = 1;', 'c.ts': '' },
    test: { room: { 'a.test.ts': "import { a } from '../../src/a.ts';" } },
  });
  const name = () => new Witnesses(root).test('test/room/a.test.ts');
  const write = (file: string, text: string) => writeFileSync(join(root, file), text);
  const names = [name()];
  t.equal(name(), names[0], 'while nothing changes it is the same');
  write('src/c.ts', 'export const c = 1;');
  t.equal(name(), names[0], 'what it does not import does not count');
  write('src/b.ts', 'export const b = 2;');
  names.push(name());
  write('test/room/a.test.ts', "import { a } from '../../src/a.ts'; // more");
  names.push(name());
  mkdirSync(join(root, 'test', 'room', 'fixtures'));
  write('test/room/fixtures/boot.json', '{}');
  names.push(name());
  t.equal(new Set(names).size, 4);
  t.match(name(), /^test\/room\/a\.test\.ts@[0-9a-f]{16}$/);
  t.end();
});
