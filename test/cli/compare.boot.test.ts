// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStoreThatIs } from '../../results/store/store.ts';
import { runSeries } from '../../src/cli/compare-series.ts';
import { seriesDifferences } from '../../src/compare/series.ts';
import { formatSeries } from '../../src/report/compare/series-text.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

async function ptdiff(...words: string[]) {
  return execa(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...words], {
    reject: false,
  });
}

t.test('two kernels of one distribution, from boot to mail', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-compare-', unsafeCleanup: true });
  t.teardown(cleanup);
  const [out, store] = [join(path, 'out'), join(path, 'store.sqlite')];
  const asked = [
    'compare',
    'debian:7.2',
    'debian:7.3',
    '--scenario',
    'monitor+max-bbm3',
    '--out',
    out,
    '--store',
    store,
  ];
  const { exitCode, stdout, stderr } = await ptdiff(...asked);
  t.equal(exitCode, 1, stderr);
  t.match(stdout, /memory.*: pages\n? *only → the largest leaves that fit/s);
  t.match(stdout, /ID_AA64MMFR2_EL1\.BBM >= 3/, 'the rule that explains it');
  t.match(stdout, /linear_map_requires_bbml: 0 → 1/);
  t.equal(readFileSync(join(out, 'compare.txt'), 'utf8').trimEnd(), stdout);
  t.ok(existsSync(join(out, 'compare.html')));
  {
    using looks = await openStoreThatIs(store);
    const kernels = readLooks(looks).map(({ kernel }) => kernel.spec);
    t.same(
      kernels.sort(),
      ['debian:7.2', 'debian:7.3'],
      'boots of a comparison are evidence like any other',
    );
  }

  const run = join(out, 'run');
  const again = await ptdiff(
    'compare',
    `${run}@7.2`,
    `${run}@7.3`,
    '--json',
    '--out',
    join(path, 'again'),
  );
  t.equal(again.exitCode, 1);
  t.same(
    JSON.parse(again.stdout).groups,
    JSON.parse(readFileSync(join(out, 'compare.json'), 'utf8')).groups,
  );

  const self = await ptdiff('compare', `${run}@7.3`, `${run}@7.3`, '--out', join(path, 'self'));
  t.equal(self.exitCode, 0, self.stderr);
  t.match(self.stdout, 'No change in 1 scenario.');

  const same = await ptdiff('compare', 'debian:7.3', 'debian:7.3');
  t.equal(same.exitCode, 0);
  t.match(same.stderr, 'the same Image');

  const none = await ptdiff('compare', 'debian:7.3', path);
  t.equal(none.exitCode, 2);
  t.match(none.stderr, 'is not a run folder');
});

t.test('a series boots every Image once, and names where differences come and go', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-series-', unsafeCleanup: true });
  t.teardown(cleanup);
  // Debian's kernels stand for what commits build.
  const specs = ['debian:7.2', 'debian:7.3', 'debian:7.3', 'debian:5.5', 'debian:7.2'];
  const commits = specs.map((spec, index) => ({ id: `${index}`.repeat(40), subject: spec, spec }));
  const options = { scenario: ['monitor+max-bbm3'], jobs: 1 };
  const { rows, scenarios } = await runSeries(commits, path, options, new AbortController().signal);
  t.same(
    rows.map(({ kernel }) => kernel.state),
    ['booted', 'booted', 'same', 'unavailable', 'same'],
  );
  const blocks = seriesDifferences(rows).find(({ difference }) =>
    difference.key.startsWith('layout/memory/sizes'),
  );
  t.same(blocks?.events, [
    { kind: 'appears', at: 1, after: 0 },
    { kind: 'vanishes', at: 4, after: 2 },
  ]);
  const text = formatSeries({ range: 'a..b', repository: '.', rows, scenarios });
  t.match(
    text,
    /vanishes {2}with 444444444444 \("debian:7\.2"\)\n +or with 333333333333 before it/,
  );
  t.ok(
    existsSync(join(path, 'commits', '1'.repeat(12), 'compare.html')),
    'what each commit changed has a report of its own',
  );
});
