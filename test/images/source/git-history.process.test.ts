// SPDX-License-Identifier: GPL-2.0-only
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import fc from 'fast-check';
import t from 'tap';
import { dir } from 'tmp-promise';
import { GitHistory, resolveCommit } from '../../../images/source/git-history.ts';
import { given } from '../../given.ts';

/**
 * Commits of a repository that exists as objects alone, each with its parents among the earlier
 * ones; its SHA for each.
 */
async function makeRepository(path: string, parents: number[][]): Promise<string[]> {
  await execa('git', ['init', '--quiet', path]);
  const lines = parents.flatMap((from, index) => {
    const subject = `change ${index}`;
    return [
      'commit refs/heads/main',
      `mark :${index + 1}`,
      `committer A. Tester <tester@example.org> ${1_700_000_000 + index * 60} +0000`,
      `data ${subject.length}`,
      subject,
      ...from.map((parent, place) => `${place === 0 ? 'from' : 'merge'} :${parent + 1}`),
      '',
    ];
  });
  const marks = join(path, 'marks');
  await execa('git', ['-C', path, 'fast-import', '--quiet', `--export-marks=${marks}`], {
    input: lines.join('\n'),
  });
  const { stdout } = await execa('sort', ['-t', ':', '-k', '2n', marks]);
  return stdout.split('\n').map((line) => given(line.split(' ')[1]));
}

/** Whether each commit contains the culprit. */
function descendants(parents: number[][], culprit: number): boolean[] {
  const has: boolean[] = [];
  for (const [index, from] of parents.entries())
    has.push(index === culprit || from.some((parent) => has[parent]));
  return has;
}

t.test(
  'git bisect finds the culprit in any history, past merges and commits that cannot be tested',
  { timeout: 180_000 },
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-history-', unsafeCleanup: true });
    t.teardown(cleanup);
    const graphs = fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 1 })), {
      minLength: 4,
      maxLength: 24,
    });
    let number = 0;
    const seen = { found: 0, unclear: 0, merges: 0 };
    await fc.assert(
      fc.asyncProperty(
        graphs,
        fc.nat(),
        fc.array(fc.nat({ max: 24 }), { maxLength: 3 }),
        async (choices, place, holes) => {
          // A commit follows the last one, or one a little earlier, and sometimes merges the last
          // one.
          const parents = [
            [] as number[],
            ...choices.map(([back, kind], index) => {
              const from = Math.max(0, index - back);
              return kind === 0 && from !== index ? [from, index] : [from];
            }),
          ];
          const tip = parents.length - 1;
          const commits = await makeRepository(join(path, String(++number)), parents);
          const [root, newest] = [given(commits[0]), given(commits[tip])];
          const history = await GitHistory.open(
            join(path, String(number)),
            join(path, `${number}-own`),
          );
          const inTip = (
            await execa('git', ['-C', join(path, String(number)), 'rev-list', newest])
          ).stdout.split('\n');
          const suspects = inTip.filter((commit) => commit !== root);
          const culprit = commits.indexOf(given(suspects[place % suspects.length]));
          const isNew = descendants(parents, culprit);
          const known = { old: [root], new: [newest], skipped: [] as string[] };
          for (;;) {
            const stand = await history.narrow(known);
            if (stand.kind === 'unclear') {
              seen.unclear++;
              return holes.length > 0 && stand.candidates.includes(given(commits[culprit]));
            }
            if (stand.kind === 'found') {
              seen.found++;
              if (given(parents[culprit]).length > 1) seen.merges++;
              const before = given(parents[culprit]).map((parent) => commits[parent]);
              return (
                stand.candidate === commits[culprit] && String(stand.before) === String(before)
              );
            }
            const index = commits.indexOf(stand.candidate);
            if (known.old.length + known.new.length + known.skipped.length > 40) return false;
            if (holes.includes(index)) known.skipped.push(stand.candidate);
            else (isNew[index] ? known.new : known.old).push(stand.candidate);
          }
        },
      ),
      { numRuns: 8 },
    );
    t.ok(seen.found > 2, JSON.stringify(seen));
  },
);

t.test(
  'nothing is written to the repository, and git is not led astray by its own variables',
  async (t) => {
    const { path, cleanup } = await dir({ prefix: 'ptdiff-history-', unsafeCleanup: true });
    t.teardown(cleanup);
    const repository = join(path, 'linux');
    const commits = await makeRepository(repository, [[], [0], [1], [2]]);
    const before = (await readdir(join(repository, '.git'), { recursive: true })).sort();
    process.env.GIT_DIR = '/nonexistent';
    t.teardown(() => delete process.env.GIT_DIR);
    const history = await GitHistory.open(repository, join(path, 'own'));
    t.equal(await resolveCommit(repository, 'main~1'), commits[2]);
    t.match(
      await history.narrow({ old: [given(commits[0])], new: [given(commits[3])], skipped: [] }),
      {
        kind: 'test',
        suspects: 3,
      },
    );
    t.same((await readdir(join(repository, '.git'), { recursive: true })).sort(), before);
    t.match(await history.describe(given(commits[1])), {
      subject: 'change 1',
      author: 'A. Tester <tester@example.org>',
    });
    t.equal(await history.isAncestor(given(commits[0]), given(commits[3])), true);
    t.equal(await history.isAncestor(given(commits[3]), given(commits[0])), false);
  },
);

t.test('what is no repository, no commit, or no range is told in one sentence', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-history-', unsafeCleanup: true });
  t.teardown(cleanup);
  const repository = join(path, 'linux');
  // Two branches after the first commit: neither contains the other.
  const commits = await makeRepository(repository, [[], [0], [0], [1, 2]]);
  await t.rejects(resolveCommit(repository, 'v9.9'), {
    fault: 'usage',
    message: /has no commit 'v9\.9'/,
  });
  await t.rejects(resolveCommit(repository, '--all'), { message: /has no commit '--all'/ });
  await t.rejects(resolveCommit(path, 'HEAD'), { message: /has no commit 'HEAD': not a git repo/ });
  const history = await GitHistory.open(repository, join(path, 'own'));
  t.match(
    await history.narrow({ old: [given(commits[2])], new: [given(commits[1])], skipped: [] }),
    { kind: 'test', candidate: commits[0] },
    'the merge base first',
  );
  await t.rejects(
    history.narrow({
      old: [given(commits[2])],
      new: [given(commits[1]), given(commits[0])],
      skipped: [],
    }),
    {
      message: /git bisect cannot continue/,
    },
  );
  await rm(repository, { recursive: true });
  await t.rejects(history.describe(given(commits[0])), { message: /git show -s failed/ });
});
