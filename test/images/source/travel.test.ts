// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openGitStore } from '../../../images/source/git-store.ts';
import { packTree, takeInPack } from '../../../images/source/travel.ts';
import { present } from '../../../src/present.ts';

t.test('a tree travels whole, and the next one as what differs', async (t) => {
  const folder = t.testdir();
  const storeOf = async (name: string) => {
    process.env.PTDIFF_CACHE = join(folder, name);
    return openGitStore();
  };
  const [here, there] = [await storeOf('here'), await storeOf('there')];
  const blob = async (text: string) =>
    (await here.run(['hash-object', '-w', '--stdin'], { input: text })).trim();
  const treeOf = async (...files: string[]) => {
    const lines = await Promise.all(
      files.map(async (text, index) => `100644 blob ${await blob(text)}\tfile${index}\n`),
    );
    return (await here.run(['mktree'], { input: lines.join('') })).trim();
  };
  const big = Array.from({ length: 5000 }, (_, index) => `line ${index * 7919}\n`).join('');
  const first = await treeOf(big, 'a');
  const second = await treeOf(big, 'b');
  mkdirSync(join(folder, 'packs'));
  const pack = async (tree: string, base?: string) =>
    packTree(here, { tree, alternates: [] }, base, join(folder, 'packs'));
  await takeInPack(there, present(await pack(first), 'pack'));
  t.ok(await there.has(`${first}:file0`));
  t.notOk(await there.has(second));
  await takeInPack(there, present(await pack(second, first), 'pack'));
  t.equal(await there.run(['cat-file', 'blob', `${second}:file1`]), 'b');
  t.equal(await there.run(['cat-file', 'blob', `${second}:file0`]), big.trimEnd());
  t.equal(await pack(first, first), undefined, 'nothing is left to send');
});
