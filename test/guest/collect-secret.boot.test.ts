// SPDX-License-Identifier: GPL-2.0-only
/** What guest/collect says of pages that are not valid, in a memory that is made up. */

import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { sourceFiles } from '../../guest/build-key.ts';
import { hostToolchain } from '../../images/toolchain/toolchain.ts';

// The compiler may have to be fetched.
t.setTimeout(0);

const collect = join(import.meta.dirname, '../../guest/collect');
const used = ['secret', 'ranges', 'buffer', 'fail', 'vmcoreinfo'];

t.test('free pages of debug_pagealloc are nothing odd', async (t) => {
  const program = join(t.testdir(), 'secret');
  await (await hostToolchain()).compileStatic({
    sources: [
      ...used.map((name) => join(collect, `${name}.c`)),
      ...(await sourceFiles(join(import.meta.dirname, 'collect-secret'), /\.c$/)),
    ],
    includeDirs: [collect],
    output: program,
    flags: ['-std=gnu11', '-Wextra', '-Werror', '-D_GNU_SOURCE'],
  });
  const said = async (debugs: string) => (await execa(program, [debugs])).stdout.split('\n');
  // A place that is odd because it is free would be taken for one that is odd all the time.
  t.strictSame(await said('1'), ['40005000 40006000']);
  t.strictSame(await said('0'), ['40005000 40006000', 'odd 4000 5000', 'odd 6000 8000']);
});
