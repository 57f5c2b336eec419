// SPDX-License-Identifier: GPL-2.0-only
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { recoverNights } from '../../harness/laboratory/recover-nights.ts';
import {
  beginNight,
  brokenNights,
  endNight,
  lastUnconfirmed,
  nightsOf,
  rememberKernels,
  watchedKernels,
} from '../../results/store/nights.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStore } from '../../results/store/store.ts';
import { recordedRun, writeRunFolder } from '../results/recorded-run.ts';
import { ptdiffHere } from './in-process.ts';

process.env.NO_COLOR = '1';

async function nightly(directory: string, config: string, ...words: string[]) {
  const path = join(directory, 'night.yaml');
  writeFileSync(path, config);
  return ptdiffHere('nightly', '--config', path, ...words);
}

t.test('a night that runs nothing is an error, and says so', async (t) => {
  const config =
    'kernels: [file:/nonexistent/Image]\nbudget: 5m\nstore: store.sqlite\nout: nights\n';
  const night = await nightly(t.testdir(), config);
  t.equal(night.exitCode, 3, night.stderr);
  t.match(night.stdout, /no kernel {2}file:\/nonexistent\/Image: Cannot read the kernel/);
  t.match(
    night.stdout,
    /\n0 new, 0 known, 1 kernel not to be had, RAN NOTHING, no full coverage yet$/,
  );
});

t.test('a wrong configuration is wrong usage', async (t) => {
  const directory = t.testdir();
  t.match(await nightly(directory, 'kernels: [debian:7.3]\n'), {
    exitCode: 2,
    stderr: /night\.yaml is not a configuration .*budget/,
  });
  t.match(await nightly(directory, '{'), {
    exitCode: 2,
    stderr: /^ptdiff: Cannot read the configuration /,
  });
  const unknown = 'kernels: [debian-7.3]\nbudget: 5m\nstore: store.sqlite\n';
  t.match(await nightly(directory, unknown), { exitCode: 2, stderr: /names no kernel/ });
});

t.test('what a killed night did counts: the next one brings it in', async (t) => {
  const directory = t.testdir();
  const { record, cases } = recordedRun();
  using store = await openStore(join(directory, 'store.sqlite'));
  const folder = join(directory, 'night');
  const id = beginNight(store, '/night.yaml', '2026-11-22T01:00:00.000Z', folder);
  const killed = { ...record };
  delete killed.ended;
  writeRunFolder(join(folder, 'first'), killed, cases.slice(0, 30));
  recoverNights(store);
  t.equal(readLooks(store).length, 30);
  t.same(brokenNights(store), []);
  t.match(nightsOf(store, '/night.yaml'), [{ id, total: null, covered: null }]);

  beginNight(store, '/night.yaml', '2026-11-23T01:00:00.000Z', join(directory, 'damaged'));
  writeRunFolder(join(directory, 'damaged', 'first'), killed, []);
  writeFileSync(join(directory, 'damaged', 'first', 'cases.jsonl'), 'no JSON\n');
  recoverNights(store);
  t.same(
    brokenNights(store),
    [],
    'a folder that is damaged does not keep the nights from going on',
  );
});

t.test(
  'the store remembers nights, what they could not confirm, and the kernels of each watch',
  async (t) => {
    using store = await openStore(join(t.testdir(), 'store.sqlite'));
    const unconfirmed = [{ watch: 'sid arm64', id: 'splat/x' }];
    const first = beginNight(store, '/a.yaml', '2026-11-21T01:00:00.000Z', '/nights/1');
    endNight(store, first, {
      ended: '2026-11-21T02:00:00.000Z',
      total: 10,
      covered: 10,
      unconfirmed,
    });
    beginNight(store, '/b.yaml', '2026-11-22T01:00:00.000Z', '/nights/2');
    t.same(lastUnconfirmed(nightsOf(store, '/a.yaml')), unconfirmed);
    t.same(lastUnconfirmed(nightsOf(store, '/b.yaml')), []);
    t.match(nightsOf(store, '/a.yaml'), [{ id: first, total: 10, covered: 10 }]);
    t.equal(brokenNights(store).length, 1);
    const kernels = [
      { watch: 'sid arm64', sha256: 'one' },
      { watch: 'debian:7.3', sha256: 'one' },
    ];
    rememberKernels(store, kernels, '2026-11-21T01:00:00.000Z');
    rememberKernels(
      store,
      [...kernels, { watch: 'sid arm64', sha256: 'two' }],
      '2026-11-22T01:00:00.000Z',
    );
    t.same(watchedKernels(store), [kernels[1], kernels[0], { watch: 'sid arm64', sha256: 'two' }]);
  },
);
