// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { execa } from 'execa';
import { cpuSecondsOf } from './cpu-seconds.ts';
import type { Ratio } from './ratio.ts';

const main = join(import.meta.dirname, '..', 'src', 'cli', 'main.ts');

/** Commands that a user waits for, and that boot nothing. */
const commands = ['--help', 'ls scenarios', 'show nothing'];

/**
 * CPU seconds of commands that boot nothing, as the launcher starts them, compared with a Node that
 * does nothing; alternately.
 */
export async function benchStartCost(rounds: number): Promise<Ratio[]> {
  const node = async (...words: string[]): Promise<number> => {
    const run = () =>
      execa(process.execPath, ['--disable-warning=ExperimentalWarning', ...words], {
        reject: false,
      });
    const { children } = await cpuSecondsOf(run);
    return children;
  };
  const ratios: Ratio[] = [];
  for (const command of commands) {
    const words = [main, ...command.split(' ')];
    // The first start fills Node's compile cache.
    await node(...words);
    const values: number[] = [];
    for (let round = 0; round < rounds; round++)
      values.push((await node(...words)) / (await node('-e', '0')));
    ratios.push({
      what: `ptdiff ${command} / node -e 0, CPU seconds`,
      values,
      // 0.3 s on a machine on which Node starts in 0.04 s.
      target: { at: 'most', value: 7.5 },
    });
  }
  return ratios;
}
