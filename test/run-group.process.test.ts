// SPDX-License-Identifier: GPL-2.0-only
import { join, relative } from 'node:path';
import t from 'tap';
import { runGroup } from './run-group.ts';

const root = join(import.meta.dirname, '..');
const passes = "import t from 'tap'; t.test('group', async (t) => { t.ok(1); t.ok(1); });";

t.test('files that share a process are told apart, whatever one does', async (t) => {
  const folder = t.testdir({
    'a.test.ts': passes,
    'b.test.ts': "import t from 'tap'; t.equal(1, 2, 'one is two');",
    'c.test.ts': "import t from 'tap'; import './none.ts'; t.ok(1);",
    'd.test.ts': "import t from 'tap'; t.test('x', async (t) => { t.ok(1); process.exit(0); });",
    'e.test.ts': passes,
    'f.test.ts': `${passes} await 0; process.kill(process.pid, 'SIGKILL'); await new Promise(() => {});`,
    'g.test.ts': '',
    'h.test.ts': passes,
  });
  const files = [...'abcdefgh'].map((name) => relative(root, join(folder, `${name}.test.ts`)));
  const results = await runGroup(files, { kind: 'unit', store: join(folder, 'store.sqlite') });
  t.same(
    results.map(({ file }) => file),
    files,
  );
  t.match(results, [
    { passed: 2, failed: 0, troubles: [] },
    { passed: 0, failed: 1, output: 'one is two' },
    { failed: 1, output: 'Cannot find module' },
    { passed: 1, failed: 1, troubles: [] },
    { passed: 2, failed: 0, troubles: [] },
    { failed: 0, troubles: ['died of SIGKILL'] },
    { passed: 0, troubles: ['ran no test'] },
    { passed: 2, failed: 0, troubles: [] },
  ]);
});
