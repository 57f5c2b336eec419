// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';

const store = JSON.stringify(join(import.meta.dirname, '../../../images/source/git-store.ts'));
const program = `const { openGitStore } = await import(${store});
  await openGitStore().then(() => console.log('opened'), ({ fault }) => console.log(fault));`;

t.test(
  'a store that could not be written leaves nothing behind, and is made at the next attempt',
  async (t) => {
    const root = t.testdir();
    const open = async (limit: string) => {
      // Files of no more than so many blocks: what is too long fails to be written, as on a full
      // disk.
      const words = [
        '-c',
        `ulimit -f ${limit}; exec "$0" --input-type=module -e "$1"`,
        process.execPath,
        program,
      ];
      return (
        await execa('sh', words, { env: { PTDIFF_CACHE: root, NODE_DISABLE_COMPILE_CACHE: '1' } })
      ).stdout;
    };
    t.equal(await open('0'), 'host');
    t.same(readdirSync(join(root, 'source')), []);
    t.equal(await open('unlimited'), 'opened');
    t.same(readdirSync(join(root, 'source')), ['objects.git']);
  },
);
