// SPDX-License-Identifier: GPL-2.0-only
import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { dir } from 'tmp-promise';
import { Engine } from '../../../../harness/laboratory/farm/engine.ts';
import { readCaseLines } from '../../../../results/run-folder.ts';
import { end, ptdiff, recordedWorker } from './farm-setup.ts';

// Boots are replaced by a recorded one, see recorded-worker.ts.

t.test('a night on a farm', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-farm-', unsafeCleanup: true });
  t.teardown(cleanup);
  const engine = await Engine.start({ folder: join(path, 'engine') });
  t.teardown(() => engine.stop());
  const workers = ['a', 'b'].map((label) => recordedWorker(engine.url, label));
  t.teardown(() => Promise.all(workers.map((worker) => end(worker))));
  const config = join(path, 'night.yaml');
  writeFileSync(
    config,
    'kernels: [debian:6.12]\nscenarios: [telling]\nbudget: 1h\nexplore: 0\nnights: 1\nstore: s.sqlite\nout: nights\n',
  );
  const { exitCode, all } = await ptdiff(['nightly', '--config', config, '--farm', engine.url]);
  t.equal(exitCode, 0, all);
  t.match(all, /0 new, 0 known, \d+ cases, last full coverage today/);
  const [folder = ''] = globSync('nights/*/first', { cwd: path });
  const results = readCaseLines(join(path, folder));
  t.ok(results.length > 10);
  t.same(new Set(results.map(({ worker }) => worker)), new Set(['a', 'b']));
});
