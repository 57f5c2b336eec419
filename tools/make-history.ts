// SPDX-License-Identifier: GPL-2.0-only
import { join, resolve } from 'node:path';
import { echo, fs } from 'zx';
import { cachePath } from '../host/cache.ts';
import { openGitStore } from '../images/source/git-store.ts';
import { sourceTree } from '../images/source/source-tree.ts';
import { makeHistory } from '../test/bisect/mm-history.ts';
import { wordsOf } from './script.ts';

/**
 * Makes the history of arch/arm64/mm that `npm run test:bisect` bisects, to look at it or to bisect
 * it by hand. It borrows its files from the cache, so it exists only as long as the cache does.
 */
const usage = 'npm run make:history -- REPOSITORY';

const [word = ''] = wordsOf(usage, 1);
const repository = resolve(word);
if (fs.existsSync(join(repository, 'HEAD'))) {
  console.error(`${repository} is a repository already: name a folder that does not exist yet.`);
  process.exit(2);
}
const { tree } = await sourceTree(await openGitStore(), { kind: 'source', version: '7.3' }, {});
const objects = cachePath('source', 'objects.git', 'objects');
for (const { commit, role, subject } of await makeHistory(repository, { tree, objects }))
  echo(`${commit.slice(0, 12)}  ${role.padEnd(14)}  ${subject}`);
