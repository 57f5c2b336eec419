// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import t from 'tap';
import { ptdiffHere } from './in-process.ts';

const archive = join(import.meta.dirname, '../evidence/fixtures/board-7.3-ptdump.tar.gz');

t.test('an archive with nothing but a dump is judged, stored and shown', async (t) => {
  const folder = t.testdir({});
  const [out, store] = [join(folder, 'run'), join(folder, 'store.sqlite')];
  const kept = ['--out', out, '--store', store];
  const judged = await ptdiffHere('judge', archive, '--label', 'rack4', ...kept);
  t.equal(judged.exitCode, 0, judged.stderr);
  t.match(judged.stdout, /Nothing is predicted: a dump has no physical addresses/);
  const history = await ptdiffHere('history', 'board+rack4', '--store', store);
  t.match(history.stdout, /pass +1 look/);
  const map = await ptdiffHere('show', 'board+rack4', '--map', '--out', out);
  t.equal(map.exitCode, 0, map.stderr);
  t.match(map.stdout, /There is no map with addresses: .*files\/kernel_page_tables/);
});
