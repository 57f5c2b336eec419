// SPDX-License-Identifier: GPL-2.0-only
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { commitsOf } from '../../../harness/laboratory/series-commits.ts';

t.test('the commits of a range, base first, along the first parents', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-series-', unsafeCleanup: true });
  t.teardown(cleanup);
  const git = async (...args: string[]) =>
    (await execa('git', ['-C', path, '-c', 'user.name=t', '-c', 'user.email=t@t.invalid', ...args]))
      .stdout;
  const commit = async (subject: string) => {
    await git('commit', '-q', '--allow-empty', '-m', subject);
    return git('rev-parse', 'HEAD');
  };
  await git('init', '-q', '-b', 'trunk');
  const base = await commit('the base');
  const one = await commit('mm:  two  blanks, "quotes" and $(words)');
  await git('checkout', '-q', '-b', 'side', base);
  await commit('on the side');
  await git('checkout', '-q', 'trunk');
  await git('merge', '-q', '--no-ff', '-m', 'a merge', 'side');
  const merge = await git('rev-parse', 'HEAD');

  const found = await commitsOf(`${base.slice(0, 12)}..trunk`, path);
  // A signed commit in a repository that wants to see signatures: git shows what the program says
  // of it among the lines of its log.
  const signed = (await git('cat-file', 'commit', merge)).replace(
    '\n\n',
    '\ngpgsig -----BEGIN PGP SIGNATURE-----\n\n',
  );
  const { stdout: tip } = await execa(
    'git',
    ['-C', path, 'hash-object', '-t', 'commit', '-w', '--stdin'],
    {
      input: `${signed}\n`,
    },
  );
  await writeFile(join(path, 'verify'), '#!/bin/sh\necho "gpg: Good signature" >&2\n', {
    mode: 0o755,
  });
  await git('config', 'gpg.program', join(path, 'verify'));
  await git('config', 'log.showSignature', 'true');
  t.match(await git('log', '-1', '--format=%H', tip), /Good signature/, 'as this one does');
  t.same(
    (await commitsOf(`${base}..${tip}`, path)).map(({ id }) => id),
    [base, one, tip],
  );

  t.same(found, [
    { id: base, subject: 'the base', spec: `git:${path}@${base}` },
    { id: one, subject: 'mm:  two  blanks, "quotes" and $(words)', spec: `git:${path}@${one}` },
    { id: merge, subject: 'a merge', spec: `git:${path}@${merge}` },
  ]);
  await t.rejects(commitsOf(`trunk..${base}`, path), {
    fault: 'usage',
    message: /has no commit/,
  });
  await t.rejects(commitsOf('trunk', path), { fault: 'usage', message: /write BASE\.\.TIP/ });
  // No option gets through to git.
  await t.rejects(commitsOf('--output=x..trunk', path), { fault: 'usage', message: /write BASE/ });
  await t.rejects(commitsOf('trunk..--all', path), { fault: 'usage', message: /write BASE/ });
  await t.rejects(commitsOf('a..b', `${path}/gone`), {
    fault: 'image',
    message: /There is no folder/,
  });
  await t.rejects(commitsOf('nope..trunk', path), {
    fault: 'image',
    message: /Cannot read the repository/,
  });
});
