// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { dir } from 'tmp-promise';
import type { BisectState } from '../../harness/laboratory/bisect-state.ts';
import { Engine } from '../../harness/laboratory/farm/engine.ts';
import { readCaseLines } from '../../results/run-folder.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStoreThatIs } from '../../results/store/store.ts';
import { runSeries } from '../../src/cli/compare-series.ts';
import { end, type Process, ptdiff } from '../harness/laboratory/farm/farm-setup.ts';

// Each verb but run itself, with two real workers; that a case is the same is for
// same-results.boot.test.ts to show. Leases are those that a busy host keeps.
const env = { PTDIFF_FARM_LEASE: '60' };

interface Farm {
  url: string;
  path: string;
  words: string[];
}

async function farmOf(t: Test): Promise<Farm> {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-farm-', unsafeCleanup: true });
  t.teardown(cleanup);
  const engine = await Engine.start({ folder: join(path, 'engine') });
  t.teardown(() => engine.stop());
  const { url } = engine;
  for (const label of ['one', 'two']) {
    const worker = ptdiff(['worker', '--farm', url, '--jobs', '1', '--label', label], env);
    t.teardown(() => end(worker, 'SIGINT'));
  }
  return { url, path, words: ['--store', join(path, 'store.sqlite'), '--farm', url] };
}

/** Ctrl-C as soon as it has written what matches. */
function interruptedAt(child: Process, what: RegExp): Process {
  child.all?.on('data', (text: Buffer) => {
    if (what.test(text.toString())) child.kill('SIGINT');
  });
  return child;
}

const scenario = 'monitor+max-bbm3';
const { path, words, url } = await farmOf(t);

t.test('compare and a series: the boots of a farm, the report as ever', async (t) => {
  const out = join(path, 'out');
  const sides = ['debian:7.2', 'debian:7.3', '--scenario', scenario];
  const asked = ['compare', ...sides, '--out', out, ...words];
  const first = await interruptedAt(ptdiff(asked, env), /\[1\/2\]/);
  t.equal(first.exitCode, 130, first.all);
  const before = readCaseLines(join(out, 'run'));
  t.equal(before.length, 1);
  t.notOk(existsSync(join(out, 'compare.html')));

  const { exitCode, stdout, all } = await ptdiff(asked, env);
  t.equal(exitCode, 1, all);
  t.match(stdout, /memory.*: pages\n? *only → the largest leaves that fit/s);
  t.match(stdout, /linear_map_requires_bbml: 0 → 1/);
  t.equal(readFileSync(join(out, 'compare.txt'), 'utf8').trimEnd(), stdout);
  t.ok(existsSync(join(out, 'compare.html')));
  const cases = readCaseLines(join(out, 'run'));
  t.same(cases.slice(0, 1), before, 'what was there was not booted again');
  t.ok(cases.every(({ worker }) => /^(one|two)$/.test(worker ?? '')));

  // Debian's kernels stand for what commits build; see build-on-farm.boot.test.ts for builds.
  const specs = ['debian:7.2', 'debian:5.5', 'debian:7.2'];
  const commits = specs.map((spec, index) => ({ id: `${index}`.repeat(40), subject: spec, spec }));
  const store = join(path, 'store.sqlite');
  const options = { scenario: [scenario], jobs: 1, farm: url, store };
  const series = join(path, 'series');
  const { rows } = await runSeries(commits, series, options, new AbortController().signal);
  t.same(
    rows.map(({ kernel }) => kernel.state),
    ['booted', 'unavailable', 'same'],
  );
  const booted = join(series, 'commits', '0'.repeat(12));
  t.match(readCaseLines(booted), [{ verdict: 'pass', worker: /^(one|two)$/ }]);
});

t.test('bisect: interrupted in a boot, gone on with, and proven', async (t) => {
  const file = join(path, 'state.json');
  const state = (): BisectState => JSON.parse(readFileSync(file, 'utf8'));
  // Good is the newer one, and next to the bad one: nothing is to be searched.
  const asked = [
    'bisect',
    ...['--good', 'debian:7.2.6', '--bad', 'debian:7.1.13', '--state', file],
    ...['--finding', 'invariant/kernel-text-read-only/linear-alias-writable@init'],
    ...['--scenario', 'monitor+neoverse-v3-r0p2+then-max', ...words],
  ];
  const first = await interruptedAt(ptdiff(asked, env), /state-steps\/002/);
  t.equal(first.exitCode, 130, first.all);
  t.match(state().trials, [{ candidate: 'debian:7.1.13', outcome: 'present', stage: 'ends' }]);
  const before = state().trials;

  const { exitCode, stdout, all } = await ptdiff(asked, env);
  t.equal(exitCode, 0, all);
  t.match(stdout, /is\n {2}debian:7\.2\.6\n/);
  t.match(stdout, /Proof:\n {2}debian:7\.1\.13: present in \d of \d boots/);
  const { trials } = state();
  t.same(trials.slice(0, 1), before, 'what was known is not asked again');
  for (const { folder = '', case: name = '' } of trials) {
    const run = join(path, 'state-steps', folder);
    t.match(readCaseLines(run), [{ worker: /^(one|two)$/ }]);
    t.ok(existsSync(join(run, 'cases', name, 'repro.sh')), `${folder} is a whole run folder`);
  }
  using looks = await openStoreThatIs(join(path, 'store.sqlite'));
  const booted = readLooks(looks).filter((look) => look.scenario.name.includes('then-max'));
  t.equal(booted.length, trials.length, 'every boot is in the store once');
});
