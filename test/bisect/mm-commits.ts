// SPDX-License-Identifier: GPL-2.0-only
/**
 * The bisection of a real history of arch/arm64/mm, three times: `npm run test:bisect`. It builds a
 * kernel from linux-source-7.3 (about ten minutes of CPU time when the cache has none) and seven
 * more from that build tree, which is too long for `npm test`.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import type { BisectState } from '../../harness/laboratory/bisect-state.ts';
import { cachePath } from '../../host/cache.ts';
import { openGitStore } from '../../images/source/git-store.ts';
import { sourceTree } from '../../images/source/source-tree.ts';
import { given } from '../given.ts';
import { makeHistory } from './mm-history.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');
const finding = 'invariant/kernel-text-read-only/linear-alias-writable@init';

t.setTimeout(2 * 3600_000);

t.test(
  'names the culprit three times of three, past a commit that does not build and one that does not boot',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-series-', unsafeCleanup: true });
    t.teardown(cleanup);
    const { tree } = await sourceTree(await openGitStore(), { kind: 'source', version: '7.3' }, {});
    const repository = join(path, 'linux.git');
    const history = await makeHistory(repository, {
      tree,
      objects: cachePath('source', 'objects.git', 'objects'),
    });
    const roleOf = (commit: string) => history.find((each) => each.commit === commit)?.role;
    const culprit = given(history.filter(({ role }) => role === 'culprit')[0]);
    const suspects = history.length - 1;
    for (const round of [1, 2, 3]) {
      const file = join(path, `round-${round}.json`);
      const ends = ['--good', given(history[0]).commit, '--bad', 'main', '--repo', repository];
      const words = ['bisect', ...ends, '--finding', finding, '--scenario', 'max', '--state', file];
      const command = [process.execPath, '--disable-warning=ExperimentalWarning', main, ...words];
      const { exitCode, stdout } = await execa(given(command[0]), command.slice(1), {
        reject: false,
        stderr: 'inherit',
      });
      t.equal(exitCode, 0, `round ${round}`);
      t.match(stdout, `${culprit.commit.slice(0, 12)} ("${culprit.subject}")`);
      t.match(stdout, /Proof:\n.*present in 2 of 2 boots\n.*absent in \d of \d boots\n/);
      const { trials } = JSON.parse(readFileSync(file, 'utf8')) as BisectState;
      const searched = trials.filter(({ stage }) => stage === 'search');
      const told = searched.filter(({ outcome }) => outcome === 'present' || outcome === 'absent');
      t.ok(
        told.length <= Math.ceil(Math.log2(suspects)),
        `${told.length} boots to search among ${suspects} suspects`,
      );
      for (const { candidate, outcome } of searched) {
        if (roleOf(candidate) === 'does not build') t.equal(outcome, 'unavailable');
        else if (roleOf(candidate) === 'does not boot') t.equal(outcome, 'unusable');
        else t.ok(told.some((each) => each.candidate === candidate));
      }
      t.ok(searched.length > told.length, 'what cannot be tested was met on the way');
      t.comment(stdout);
    }
  },
);
