// SPDX-License-Identifier: GPL-2.0-only
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { withLockedFolder } from '../../host/lock.ts';

const main = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

/**
 * What a verb does while another ptdiff writes into its folder: it waits, until it is interrupted.
 */
async function whileBusy(
  out: string,
  words: string[],
): Promise<{ exitCode?: number; stderr: string }> {
  const command = ['--disable-warning=ExperimentalWarning', main, ...words, '--out', out];
  return withLockedFolder(out, async () => {
    const child = execa(process.execPath, command, { reject: false });
    child.stderr.on('data', (text: Buffer) => {
      if (text.includes('this one continues when that has ended')) child.kill('SIGINT');
    });
    const { exitCode, stderr } = await child;
    return { exitCode, stderr };
  });
}

for (const words of [
  ['run', '--kernel', 'file:/nonexistent', '--scenario', 'max'],
  ['compare', '/', '/'],
]) {
  t.test(`${words[0]} begins when another that writes into its folder has ended`, async (t) => {
    const out = join(t.testdir(), 'out');
    const { exitCode, stderr } = await whileBusy(out, words);
    t.match(stderr, /another \w+ is writing into .*out; this one continues when that has ended/);
    t.equal(exitCode, 130);
    t.same(readdirSync(join(out, '..')), [], 'it has not begun');
  });
}
