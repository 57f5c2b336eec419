// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { readCaseLines, readRunRecord } from '../../results/run-folder.ts';
import { importRun } from '../../results/store/import-run.ts';
import { openStore } from '../../results/store/store.ts';
import { given } from '../given.ts';
import { writeRunFolder } from '../results/recorded-run.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const invented = 'invariant/invented/by-a-test@init';

t.test(
  'nights on a real kernel: killed, two at once, rotation, a finding that is gone, Ctrl-C',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-night-', unsafeCleanup: true });
    t.teardown(cleanup);
    const config = join(path, 'night.yaml');
    const scenarios = 'scenarios: [max, cortex-a76, neoverse-n2]';
    const explore = (percent: number) =>
      writeFileSync(
        config,
        `kernels: [debian:7.3]\n${scenarios}\nbudget: 20m\nexplore: ${percent}\nnights: 3\njobs: 1\nstore: store.sqlite\nout: nights\n`,
      );
    explore(0);
    const nightly = () => {
      const words = ['--disable-warning=ExperimentalWarning', main, 'nightly', '--config', config];
      return execa(process.execPath, words, { reject: false, env: { NO_COLOR: '1' }, all: true });
    };
    /** Waits until a night has said something. */
    const said = async (night: ReturnType<typeof nightly>, what: string): Promise<void> => {
      for (let text = ''; !text.includes(what); )
        text += String((await once(night.all, 'data'))[0]);
    };

    const killed = nightly();
    await said(killed, '[1/3]');
    killed.kill('SIGKILL');
    await killed;

    // A finding that the history has and tonight's boot does not show: the killed night's result,
    // told of another case.
    const night = given(readdirSync(join(path, 'nights'))[0]);
    const first = join(path, 'nights', night, 'first');
    {
      using store = await openStore(join(path, 'store.sqlite'));
      const each = given(readCaseLines(first)[0]);
      const finding = {
        id: invented,
        kind: 'invariant',
        checkpoint: 'init',
        title: 'invented',
        detail: 'by a test',
      } as const;
      const scenario = 'cortex-a76';
      const result = {
        ...each,
        case: each.case.replace('@max', `@${scenario}`),
        scenario,
        findings: [finding],
      };
      const record = { ...readRunRecord(first), started: '2026-01-01T00:00:00.000Z' };
      importRun(
        store,
        writeRunFolder(join(path, 'earlier'), record, [{ ...result, verdict: 'fail' }]),
      );
    }

    const second = nightly();
    await said(second, 'results go to');
    const third = nightly();
    const { exitCode, stdout, stderr } = await second;
    t.equal(exitCode, 0, stderr);
    t.match(stderr, /did not finish; its results count: 1 case\n/);
    t.match(stdout, new RegExp(`gone {2}${invented}`), stderr);
    t.match(stdout, /Run tonight: never-run 1 of 1, due 1 of 1;/);
    t.match(stdout, /\n0 new, 1 known, 1 gone, 2 cases, last full coverage today$/);
    const rotation = await third;
    t.equal(rotation.exitCode, 0, rotation.stderr);
    t.match(
      rotation.stderr,
      /another night with the store .* is running; this one starts when that has ended/,
    );
    t.match(
      rotation.stdout,
      /Run tonight: due 1 of 1;[\s\S]*\n0 new, 0 known, 1 case, last full coverage today$/,
    );

    // What the budget leaves goes to random machines; Ctrl-C ends them, and the night counts.
    explore(10);
    const exploring = nightly();
    await said(exploring, '/explored/0001');
    exploring.kill('SIGINT');
    const stopped = await exploring;
    t.equal(stopped.exitCode, 130, stopped.stderr);
    t.match(
      stopped.stdout,
      /Run tonight: due 1 of 1;[\s\S]*\nRandom machines: [01]; [\d,]+ pairs of choices seen together, [\d.]+ % of those that can be: \S*\/explored\n[\s\S]*\nInterrupted; the results so far count\.\n/,
    );
  },
);
