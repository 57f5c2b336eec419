import { execa } from 'execa';
import t from 'tap';
import { dir } from 'tmp-promise';
import { commitsOf } from '../../src/cli/series-commits.ts';

t.test('the commits of a range, base first, along the first parents', async (t) => {
  const { path, cleanup } = await dir({ prefix: 'ptdiff-series-', unsafeCleanup: true });
  t.teardown(cleanup);
  const git = async (...args: string[]) =>
    (await execa('git', ['-C', path, '-c', 'user.name=t', '-c', 'user.email=t@t.invalid', ...args])).stdout;
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
  t.same(found, [
    { id: base, subject: 'the base', spec: `git:${path}@${base}` },
    { id: one, subject: 'mm:  two  blanks, "quotes" and $(words)', spec: `git:${path}@${one}` },
    { id: merge, subject: 'a merge', spec: `git:${path}@${merge}` },
  ]);
  await t.rejects(commitsOf(`trunk..${base}`, path), { fault: 'usage', message: /holds no commit/ });
  await t.rejects(commitsOf('trunk', path), { fault: 'usage', message: /write BASE\.\.TIP/ });
  // No option gets through to git.
  await t.rejects(commitsOf('--output=x..trunk', path), { fault: 'usage', message: /write BASE/ });
  await t.rejects(commitsOf('trunk..--all', path), { fault: 'usage', message: /write BASE/ });
  await t.rejects(commitsOf('a..b', `${path}/gone`), { fault: 'image', message: /There is no folder/ });
  await t.rejects(commitsOf('nope..trunk', path), { fault: 'image', message: /Cannot read the repository/ });
});
