// SPDX-License-Identifier: GPL-2.0-only
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';

const launcher = join(import.meta.dirname, '..', '..', 'ptdiff');

/**
 * Stands for npm: installs nothing, takes a while, and notes every moment at which two of it are at
 * work.
 */
const npm = `#!/bin/sh
mkdir busy || echo overlap >>log
sleep 0.4
mkdir -p node_modules
echo "$*" >>log
rmdir busy
`;

/** A checkout of its own, with nothing installed. */
function checkout(directory: string): { root: string; start: (cache: string) => Promise<string> } {
  const [root, bin] = [join(directory, 'root'), join(directory, 'bin')];
  for (const path of [join(root, 'src', 'cli'), bin]) mkdirSync(path, { recursive: true });
  copyFileSync(launcher, join(root, 'ptdiff'));
  writeFileSync(join(root, 'package-lock.json'), '{}\n');
  writeFileSync(join(root, 'src', 'cli', 'main.ts'), "console.log('started');\n");
  writeFileSync(join(bin, 'npm'), npm);
  chmodSync(join(bin, 'npm'), 0o755);
  const start = async (cache: string) => {
    const env = {
      PATH: `${bin}:${process.env.PATH}`,
      PTDIFF_NODE: process.execPath,
      PTDIFF_CACHE: join(directory, cache),
    };
    return (await execa(join(root, 'ptdiff'), [], { env })).stdout;
  };
  return { root, start };
}

t.test('two at once install the packages of a checkout once, whatever their caches', async (t) => {
  const { root, start } = checkout(t.testdir());
  t.same(await Promise.all([start('a'), start('b'), start('a')]), [
    'started',
    'started',
    'started',
  ]);
  const log = readFileSync(join(root, 'log'), 'utf8');
  t.match(log, /^ci --omit=dev [^\n]*\n$/, 'one npm ci, and nothing beside it');
  t.equal(await start('c'), 'started');
  t.equal(readFileSync(join(root, 'log'), 'utf8'), log, 'what is installed stays');
});
