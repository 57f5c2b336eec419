// SPDX-License-Identifier: GPL-2.0-only
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { applyPatches } from '../../../images/source/apply-patches.ts';
import { commitTree } from '../../../images/source/commit.ts';
import { openGitStore } from '../../../images/source/git-store.ts';
import { commitKernel, seriesKernels } from '../../../images/source/series.ts';
import { take } from '../../given.ts';

process.env.PTDIFF_CACHE = t.testdir();

const mmu = Array.from({ length: 60 }, (_, line) => `line ${line + 1}\n`);
const identity = {
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@b',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@b',
};

/**
 * A repository of a small kernel with two commits on top of the first, and the same two as mails.
 */
async function smallRepository() {
  const path = t.testdir({
    repository: {
      Makefile: 'VERSION = 7\n',
      arch: { arm64: { Makefile: '', mm: { 'mmu.c': mmu.join('') } } },
    },
  });
  const repository = join(path, 'repository');
  const git = (...args: string[]) => execa('git', args, { cwd: repository, env: identity });
  await git('init', '--quiet');
  const commit = async (subject: string) => {
    await git('add', '.');
    await git('commit', '--quiet', '-m', subject);
  };
  await commit('base');
  const file = join(repository, 'arch/arm64/mm/mmu.c');
  await writeFile(file, mmu.with(9, 'changed once\n').join(''));
  await commit('arm64: mm: change once');
  await writeFile(file, mmu.with(9, 'changed twice\n').with(49, 'größer\n').join(''));
  await commit('arm64: mm: change twice');
  const { stdout } = await git('format-patch', '--stdout', '--cover-letter', 'HEAD~2');
  const mailbox = join(path, 'series.mbox');
  await writeFile(mailbox, `${stdout}\n`);
  const diff = join(path, 'one.diff');
  await writeFile(diff, `${(await git('diff', 'HEAD~2', 'HEAD')).stdout}\n`);
  return { path, repository, mailbox, diff, file, git };
}

const small = await smallRepository();
const store = await openGitStore();
const treeOf = (rev: string) => commitTree(store, { path: small.repository, rev }, {});

t.test(
  'a mailbox and a diff give the tree that the commits have, and leave the repository alone',
  async (t) => {
    await writeFile(small.file, 'work in progress\n');
    const base = await treeOf('HEAD~2');
    const tip = await treeOf('HEAD');
    for (const file of [small.mailbox, small.diff]) {
      const patched = await applyPatches(store, base, [file]);
      t.equal(patched.tree, tip.tree, file);
      t.match(patched.tag, /^g[0-9a-f]{12}-p[0-9a-f]{8}$/);
    }
    t.equal(await readFile(small.file, 'utf8'), 'work in progress\n');
    t.equal((await small.git('status', '--porcelain')).stdout, ' M arch/arm64/mm/mmu.c');
  },
);

t.test('mailboxes go on top of each other', async (t) => {
  const mails = await Promise.all(
    ['HEAD~1', 'HEAD'].map(async (rev) => {
      const file = join(small.path, `${rev.replace('~', '-')}.patch`);
      const { stdout } = await small.git('format-patch', '--stdout', '-1', rev);
      await writeFile(file, `${stdout}\n`);
      return file;
    }),
  );
  const patched = await applyPatches(store, await treeOf('HEAD~2'), mails);
  t.equal(patched.tree, (await treeOf('HEAD')).tree);
});

t.test(
  'a patch that does not apply is named with file and hunk, a mail with its subject',
  async (t) => {
    const tip = await treeOf('HEAD');
    await t.rejects(applyPatches(store, tip, [small.mailbox]), {
      fault: 'image',
      message:
        /series\.mbox, mail 2 \("\[PATCH 1\/2\] arm64: mm: change once"\) does not apply to .*hunk 1 of 1 in arch\/arm64\/mm\/mmu\.c/,
    });
    const middle = await treeOf('HEAD~1');
    const text = (await readFile(small.diff, 'utf8')).replace('-line 10', '-changed once');
    const file = join(small.path, 'second.diff');
    await writeFile(file, text.replace('-line 50', '-line fifty'));
    await t.rejects(applyPatches(store, middle, [file]), {
      message: /second\.diff does not apply.*: hunk 2 of 2 in arch\/arm64\/mm\/mmu\.c, at line 47/,
    });
  },
);

t.test('a mail about a file in another encoding leaves its bytes as they are', async (t) => {
  const base = await treeOf('HEAD');
  await writeFile(small.file, Buffer.from('größer\n', 'latin1'));
  await small.git('commit', '--quiet', '--all', '-m', 'latin 1');
  await small.git('format-patch', '-1', '-o', small.path);
  const patched = await applyPatches(store, base, [join(small.path, '0001-latin-1.patch')]);
  t.equal(patched.tree, (await treeOf('HEAD')).tree);
  await small.git('reset', '--quiet', '--hard', 'HEAD~1');
});

t.test('what is no patch is wrong usage', async (t) => {
  const base = await treeOf('HEAD~2');
  const letter = join(small.path, 'letter');
  await writeFile(letter, 'Subject: hello\nFrom: a@b\n\nno diff\n');
  await t.rejects(applyPatches(store, base, [letter]), {
    fault: 'usage',
    message: /holds no diff/,
  });
  await t.rejects(applyPatches(store, base, [join(small.path, 'missing')]), {
    fault: 'usage',
    message: /Cannot read/,
  });
});

t.test('commits by name, range and what is none', async (t) => {
  const tip = await treeOf('HEAD@{0}');
  const parts = { patches: ['fix.diff'], configs: [], compiler: 'llvm' as const };
  const [first, second] = take(await seriesKernels(small.repository, 'HEAD~2..HEAD', parts), 2);
  t.equal(first.subject, 'arm64: mm: change once');
  t.equal(first.spec, `git:${small.repository}@${first.id},patch=fix.diff,compiler=llvm`);
  t.equal(tip.commit, second.id, 'the whole id, for records');
  t.equal(tip.tag, `g${second.id.slice(0, 12)}`);
  t.equal((await treeOf(second.id.slice(0, 9))).tree, tip.tree);
  await t.rejects(treeOf('v9'), { fault: 'image', message: /has no commit 'v9'/ });
  await t.rejects(treeOf('--help'), { fault: 'image', message: /has no commit/ });
  await t.rejects(commitTree(store, { path: '/', rev: 'HEAD' }, {}), {
    fault: 'image',
    message: /repository/,
  });
  await t.rejects(commitTree(store, { path: '/nowhere', rev: 'HEAD' }, {}), {
    message: /no folder \/nowhere/,
  });
  await t.rejects(seriesKernels(small.repository, 'HEAD..HEAD', parts), {
    fault: 'usage',
    message: /has no commit/,
  });
  await t.rejects(commitKernel(small.repository, 'HEAD..HEAD', parts), {
    fault: 'image',
    message: /names no commit/,
  });
  await small.git('checkout', '--quiet', '--force', '--orphan', 'other');
  await small.git('rm', '-rfq', '.');
  await small.git('commit', '--quiet', '--allow-empty', '-m', 'empty');
  await t.rejects(treeOf('other'), { fault: 'image', message: /has no arch\/arm64/ });
});
