// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { given } from '../given.ts';
import { recordedRun, writeRunFolder } from '../results/recorded-run.ts';
import { ptdiffHere } from './in-process.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

async function ptdiff(store: string, ...words: string[]) {
  process.env.PTDIFF_STORE = store;
  return ptdiffHere(...words);
}
process.env.NO_COLOR = '1';

const { record, cases } = recordedRun();

t.test('run folders go into the store, and the history comes out', async (t) => {
  const directory = t.testdir({ nothing: {} });
  const store = join(directory, 'store.sqlite');
  const folder = writeRunFolder(join(directory, 'run'), record, cases);
  const before = await ptdiff(store, 'history', 'max');
  t.match(before, { exitCode: 2, stdout: '', stderr: /^ptdiff: There is no results store .*\.$/ });

  const first = await ptdiff(store, 'import', folder, join(directory, 'nothing'));
  t.match(first, { exitCode: 2, stderr: /nothing is not a run folder/ });
  t.match(
    first.stdout,
    '1 run (1 new), 120 cases (120 new or changed)',
    'one bad folder does not keep the others out',
  );
  t.match(
    (await ptdiff(store, 'import', folder)).stdout,
    '1 run (0 new), 120 cases (0 new or changed)',
  );

  const finding = await ptdiff(store, 'history', 'linear-alias-writable@init');
  t.equal(finding.exitCode, 0, finding.stderr);
  t.match(finding.stdout, /^invariant\/kernel-text-read-only\/linear-alias-writable@init\n/);
  t.match(finding.stdout, /6\.16\.12\+deb13-arm64 +shown/);
  t.ok(finding.stdout.split('\n').every((line) => line.length <= 100));
  const data = JSON.parse(
    (await ptdiff(store, 'history', 'linear-alias-writable@init', '--json')).stdout,
  );
  t.match(data, { state: 'there', series: [{ state: 'there' }], text: { kind: 'invariant' } });

  const scenario = await ptdiff(store, 'history', 'max');
  t.match(scenario.stdout, /6\.12 arm64\n +6\.12\.107\+deb13-arm64 .*\n +pass +1 look/);
  const { case: name } = given(cases[0]);
  t.match((await ptdiff(store, 'history', name)).stdout, name);
  t.match(await ptdiff(store, 'history', 'kernel-text'), {
    exitCode: 2,
    stderr: /may mean .*; write more of it/,
  });
  t.match(await ptdiff(store, 'history', 'zzz'), {
    exitCode: 2,
    stderr: /knows no finding, scenario or case 'zzz'/,
  });
  const elsewhere = await ptdiff(store, 'history', 'max', '--store', join(directory, 'other'));
  t.match(elsewhere, { exitCode: 2, stderr: /other yet/ }, '--store wins over the environment');
});

t.test('a run does not begin when its store cannot take it', async (t) => {
  const directory = t.testdir({ store: 'This is no database. '.repeat(100) });
  const words = [
    'run',
    '--kernel',
    'file:/nonexistent',
    '--scenario',
    'max',
    '--out',
    join(directory, 'out'),
  ];
  const refused = await ptdiff(join(directory, 'store'), ...words);
  t.match(refused, {
    exitCode: 3,
    stderr: /^ptdiff: Cannot use the results store .* it is no database/,
  });
});

t.test('the history as pages, on disk and served', async (t) => {
  const directory = t.testdir();
  const store = join(directory, 'store.sqlite');
  await ptdiff(store, 'import', writeRunFolder(join(directory, 'run'), record, cases));
  const site = join(directory, 'site');
  const words = [
    '--disable-warning=ExperimentalWarning',
    main,
    'serve',
    '--out',
    site,
    '--port',
    '0',
    '--store',
    store,
  ];
  const server = execa(process.execPath, words, { reject: false });
  const [said] = await once(server.stderr, 'data');
  const address = /http:\S+/.exec(String(said))?.[0] ?? '';
  const index = await (await fetch(address)).text();
  t.equal(index, readFileSync(join(site, 'index.html'), 'utf8'));
  const series = readdirSync(site).find((name) => name.startsWith('series-7.3')) ?? '';
  t.equal((await fetch(`${address}${series}`)).status, 200);
  for (const wrong of ['../store.sqlite', '%2e%2e%2fstore.sqlite', '%', 'nothing.html']) {
    t.equal((await fetch(`${address}${wrong}`)).status, 404, wrong);
  }
  t.equal((await fetch(address, { method: 'POST' })).status, 404);
  server.kill('SIGINT');
  t.equal((await server).exitCode, 0, 'Ctrl-C is how it ends');
  t.match(await ptdiff(store, 'serve', '--port', '70000'), { exitCode: 2, stderr: /port number/ });
});
