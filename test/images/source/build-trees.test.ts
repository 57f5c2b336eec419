// SPDX-License-Identifier: GPL-2.0-only
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  dropUnbuiltTree,
  keepBuildTree,
  openBuildTree,
} from '../../../images/source/build-trees.ts';

process.env.PTDIFF_CACHE = t.testdir();

const usual = 'CONFIG_A=y\nCONFIG_B=y\n';
const large = `${usual}CONFIG_64K=y\n`;

/**
 * A desk with build trees, the first one used last; each holds a file `origin` with its own name.
 */
function deskWith(t: Test, trees: Record<string, string>): string {
  const desk = t.testdir();
  for (const [index, [name, text]] of Object.entries(trees).entries()) {
    const directory = join(desk, 'objects', name);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, '.ptdiff-config'), text);
    writeFileSync(join(directory, 'origin'), name);
    const used = new Date(Date.now() - (index + 1) * 60_000);
    utimesSync(directory, used, used);
  }
  return desk;
}

const originOf = (directory: string): string | undefined =>
  existsSync(join(directory, 'origin'))
    ? readFileSync(join(directory, 'origin'), 'utf8')
    : undefined;

t.test(
  'a new build tree begins as a copy of the one with the fewest other options, of the same compiler',
  async (t) => {
    const desk = deskWith(t, {
      'gcc-large': large,
      'gcc-usual': usual,
      'llvm-debug': `${usual}CONFIG_DEBUG=y\n`,
    });
    const made = await openBuildTree(
      desk,
      { compiler: 'gcc', options: 'debug' },
      `${usual}CONFIG_DEBUG=y\n`,
    );
    t.equal(originOf(made), 'gcc-usual');
    t.equal(readFileSync(join(made, '.ptdiff-config'), 'utf8'), `${usual}CONFIG_DEBUG=y\n`);
    t.equal(
      originOf(await openBuildTree(desk, { compiler: 'gcc-15', options: 'debug' }, usual)),
      undefined,
    );
  },
);

t.test('the build tree used least makes room for one in which a kernel was built', async (t) => {
  const desk = deskWith(t, { 'llvm-1': usual, 'llvm-2': usual, 'llvm-3': usual, 'gcc-1': usual });
  const made = await openBuildTree(desk, { compiler: 'gcc', options: '2' }, large);
  t.equal(originOf(made), 'gcc-1');
  t.equal(readdirSync(join(desk, 'objects')).length, 5, 'not before a kernel was built');
  await dropUnbuiltTree(made);
  t.notOk(existsSync(made), 'one that could not be configured takes the place of no other');
  await openBuildTree(desk, { compiler: 'gcc', options: '2' }, large);
  mkdirSync(join(made, 'arch/arm64/boot'), { recursive: true });
  writeFileSync(join(made, 'arch/arm64/boot/Image'), '');
  await keepBuildTree(made);
  await dropUnbuiltTree(made);
  t.same(readdirSync(join(desk, 'objects')).sort(), ['gcc-2', 'llvm-1', 'llvm-2', 'llvm-3']);
  t.equal(
    originOf(await openBuildTree(desk, { compiler: 'llvm', options: '3' }, usual)),
    'llvm-3',
    'itself, where it is',
  );
  t.equal(readdirSync(join(desk, 'objects')).length, 4);
});

t.test(
  'what a killed copy left is removed; a killed make leaves no file that it may have been writing',
  async (t) => {
    const desk = deskWith(t, { 'gcc-1': usual, 'gcc-2.arriving': usual });
    const objects = join(desk, 'objects', 'gcc-1');
    for (const name of ['finished.o', '.ptdiff-building', 'half.o']) {
      writeFileSync(join(objects, name), '');
      const seconds = { 'finished.o': 3, '.ptdiff-building': 2, 'half.o': 1 }[name] ?? 0;
      const at = new Date(Date.now() - seconds * 1000);
      utimesSync(join(objects, name), at, at);
    }
    const made = await openBuildTree(desk, { compiler: 'gcc', options: '2' }, usual);
    t.same(readdirSync(join(desk, 'objects')).sort(), ['gcc-1', 'gcc-2']);
    t.ok(existsSync(join(made, 'finished.o')));
    t.notOk(existsSync(join(made, 'half.o')), 'nor does a copy');
    t.equal(readFileSync(join(made, '.ptdiff-config'), 'utf8'), usual);
  },
);

t.test('an interruption leaves no half copy', async (t) => {
  const desk = deskWith(t, { 'gcc-1': usual });
  const controller = new AbortController();
  controller.abort(new Error('interrupted'));
  await t.rejects(
    openBuildTree(desk, { compiler: 'gcc', options: '2' }, usual, controller.signal),
    {
      message: 'interrupted',
    },
  );
  t.notOk(existsSync(join(desk, 'objects', 'gcc-2')));
});
