// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import type { BisectState } from '../../harness/laboratory/bisect-state.ts';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStoreThatIs } from '../../results/store/store.ts';
import { given } from '../given.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const command = ['--disable-warning=ExperimentalWarning', main];

function ptdiff(...words: string[]) {
  return execa(process.execPath, [...command, ...words], { reject: false, all: true });
}

const scenario = ['--scenario', 'monitor+neoverse-v3-r0p2+then-max'];
const finding = [
  '--finding',
  'invariant/kernel-text-read-only/linear-alias-writable@init',
  ...scenario,
];

t.test(
  'finds between which Debian versions a finding vanished, killed and begun again on the way',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-bisect-', unsafeCleanup: true });
    t.teardown(cleanup);
    const file = join(path, 'state.json');
    const state = (): BisectState => JSON.parse(readFileSync(file, 'utf8')) as BisectState;
    // Good is the newer one: where did it vanish?
    const store = join(path, 'store.sqlite');
    const ends = ['--good', 'debian:7.2', '--bad', 'debian:7.1.13'];
    const words = ['bisect', ...ends, ...finding, '--state', file, '--store', store];

    const first = ptdiff(...words);
    // In the middle of the third boot: two trials are on the disk, the third has begun.
    first.all?.on('data', (text: Buffer) => {
      if (text.includes('state-steps/003')) first.kill('SIGKILL');
    });
    t.equal((await first).signal, 'SIGKILL');
    const before = state();
    t.same(
      before.trials.map(({ candidate, outcome, stage }) => [candidate, outcome, stage]),
      [
        ['debian:7.1.13', 'present', 'ends'],
        [before.line?.at(-1)?.spec, 'absent', 'ends'],
      ],
    );

    const whole = await ptdiff(...words);
    t.equal(whole.exitCode, 0, whole.all);
    const { trials, line = [] } = state();
    t.same(trials.slice(0, 2), before.trials, 'what was known is not asked again');
    t.match(
      whole.stdout,
      new RegExp(`is\\n {2}${given(line[1]).spec}\\n`),
      '7.2 does not try a block over a table any more',
    );
    t.match(
      whole.stdout,
      /Proof:\n {2}debian:7\.1\.13: present in 2 of 2 boots\n {2}debian:7\.2\S*: absent in \d of \d boots/,
    );
    t.match(whole.stdout, /Confidence: 9\d\.\d %/);
    const searched = new Set(
      trials.filter(({ stage }) => stage === 'search').map(({ candidate }) => candidate),
    );
    t.ok(
      searched.size <= Math.ceil(Math.log2(line.length - 1)),
      `${searched.size} of ${line.length} searched`,
    );
    for (const { folder = '', case: name = '' } of trials)
      t.ok(
        existsSync(join(path, 'state-steps', folder, 'cases', name, 'repro.sh')),
        `${folder} is a whole run folder`,
      );

    {
      using looks = await openStoreThatIs(store);
      const booted = trials.filter(({ folder }) => folder !== undefined).length;
      t.equal(
        readLooks(looks).length,
        booted,
        'every boot is in the store once, that of the killed part, too',
      );
    }

    const again = await ptdiff(...words, '--json');
    t.equal(again.exitCode, 0);
    t.match(JSON.parse(again.stdout), {
      conclusion: { kind: 'found', candidate: given(line[1]).spec, proven: true },
    });
    t.equal(state().trials.length, trials.length, 'what is proven is told again without a boot');
    const other = await ptdiff(
      ...words.map((word) => (word === 'debian:7.2' ? 'debian:7.3' : word)),
    );
    t.equal(other.exitCode, 2, 'one state holds one question');
  },
);

t.test('test-commit answers in the exit codes of git bisect run', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-test-commit-', unsafeCleanup: true });
  t.teardown(cleanup);
  const ask = async (kernel: string, ...words: string[]) =>
    (
      await ptdiff(
        'test-commit',
        '--kernel',
        kernel,
        '--out',
        join(path, kernel.slice(7)),
        ...words,
      )
    ).exitCode;
  t.equal(await ask('debian:7.1.13', ...finding), 1);
  t.equal(
    await ask('debian:7.1.13', '--vanished', ...finding),
    0,
    'known from the folder, without another boot',
  );
  t.equal(await ask('debian:7.3', ...finding), 0);
  t.equal(await ask('debian:5.5', ...finding), 125, 'a kernel that is not to be had is skipped');
});
