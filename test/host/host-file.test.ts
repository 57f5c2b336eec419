// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { replaceFile } from '../../host/host-file.ts';

t.test('a file that cannot be replaced is as before, and nothing lies beside it', (t) => {
  const folder = t.testdir({ 'run.json': { kept: '' } });
  // A folder cannot be replaced by a file, which shows when all is written: as on a disk that is
  // full by then.
  t.throws(() => replaceFile(join(folder, 'run.json'), 'new'), {
    fault: 'host',
    message: /run\.json/,
  });
  t.same(readdirSync(folder), ['run.json']);
  replaceFile(join(folder, 'other'), 'old');
  replaceFile(join(folder, 'other'), 'new');
  t.equal(readFileSync(join(folder, 'other'), 'utf8'), 'new');
  t.same(readdirSync(folder).sort(), ['other', 'run.json']);
  t.end();
});
