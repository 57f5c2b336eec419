// SPDX-License-Identifier: GPL-2.0-only
/** The walk of guest/collect over tables that are made up: a terabyte, and some that change. */

import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { withDir } from 'tmp-promise';
import { sourceFiles } from '../../guest/build-key.ts';
import { hostToolchain } from '../../images/toolchain/toolchain.ts';

// The compiler may have to be fetched.
t.setTimeout(0);
const patient = { timeout: 0 };

const collect = join(import.meta.dirname, '../../guest/collect');
const used = /\/(tables|runs|ranges|settle|buffer|fail|board|vmcoreinfo|symbols|btf)\.c$/;

interface Walked {
  /** Lines of the member `descriptors`, without the root. */
  runs: string[];
  walks: number;
  settled: boolean;
  unsettled: string[];
  lost: string[];
  kilobytes: number;
  entries: string[];
}

/** Lines that begin with a word, without it. */
const told = (lines: string[], word: string) =>
  lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));

async function walked(program: string, ...words: string[]): Promise<Walked> {
  const { stdout } = await execa(program, words, { maxBuffer: 1 << 28 });
  const lines = stdout.split('\n');
  const [walks, settled] = told(lines, 'walks').join().split(' ');
  return {
    runs: lines.filter((line) => /^-?\d /.test(line)),
    walks: Number(walks),
    settled: settled === '1',
    unsettled: told(lines, 'unsettled'),
    lost: told(lines, 'lost'),
    kilobytes: Number(told(lines, 'kilobytes')[0]),
    entries: told(lines, 'entry'),
  };
}

/** Entries of runs at levels below the root, as the program prints its own. */
function speltOut(runs: string[]): string[] {
  return runs.flatMap((line) => {
    const [level = '', ...hex] = line.split(' ');
    const [va = 0n, count = 0n, descriptor = 0n, stride = 0n] = hex.map((each) =>
      BigInt(`0x${each}`),
    );
    if (level === '0') return [];
    return Array.from({ length: Number(count) }, (_, i) => {
      const at = va + (BigInt(i) << BigInt(12 + 9 * (3 - Number(level))));
      const value = BigInt.asUintN(64, descriptor + BigInt(i) * stride);
      return `${level} ${at.toString(16)} ${value.toString(16)}`;
    });
  });
}

await withDir(
  async ({ path }) => {
    const program = join(path, 'walk');
    const toolchain = await hostToolchain();
    const sources = (await sourceFiles(collect, /\.c$/)).filter((file) => used.test(file));
    await toolchain.compileStatic({
      sources: [
        ...sources,
        ...(await sourceFiles(join(import.meta.dirname, 'collect-tables'), /\.c$/)),
      ],
      includeDirs: [collect],
      output: program,
      flags: ['-std=gnu11', '-Wextra', '-Werror', '-D_GNU_SOURCE'],
    });

    await t.test('a terabyte in pages is one run, in little memory', patient, async (t) => {
      const { runs, walks, settled, unsettled, lost, kilobytes } = await walked(
        program,
        'terabyte',
      );
      t.strictSame(runs, [
        '0 ffff000000000000 2 1000000003 1000',
        '1 ffff000000000000 400 2000000003 1000',
        '2 ffff000000000000 80000 4000000003 1000',
        '3 ffff000000000000 10000000 e8008000000707 1000',
      ]);
      t.strictSame(
        { walks, settled, unsettled, lost },
        { walks: 2, settled: true, unsettled: [], lost: [] },
      );
      t.ok(kilobytes > 0 && kilobytes < 4 << 10, `${kilobytes} KiB`);
    });

    await t.test('runs lose nothing', patient, async (t) => {
      for (const seed of ['1', '2', '3', '4']) {
        const { runs, entries } = await walked(program, 'random', seed);
        t.ok(entries.length > 400_000 && runs.length < entries.length / 2, `${runs.length} runs`);
        const spelt = speltOut(runs);
        t.equal(spelt.length, entries.length);
        t.equal(
          spelt.findIndex((entry, i) => entry !== entries[i]),
          -1,
        );
        // Ascending by level, then by address; addresses of the kernel's half all have 16 digits.
        t.strictSame(
          runs,
          [...runs].sort((a, b) => (a.slice(0, 18) < b.slice(0, 18) ? -1 : 1)),
        );
      }
    });

    await t.test('what changes is read until it holds still', patient, async (t) => {
      const { runs, walks, settled, unsettled } = await walked(program, 'busy');
      t.strictSame({ walks, settled, unsettled }, { walks: 5, settled: true, unsettled: [] });
      t.ok(runs.includes('3 ffff000000000000 80000 e8008000000707 1000'));
    });

    await t.test('what never holds still is named, and left out', patient, async (t) => {
      const { runs, walks, settled, unsettled } = await walked(program, 'restless');
      t.strictSame(
        { walks, settled, unsettled },
        { walks: 24, settled: false, unsettled: ['ffff000000010000 ffff000000014000'] },
      );
      t.strictSame(
        runs.filter((line) => line.startsWith('3 ')),
        [
          '3 ffff000000000000 10 e8008000000707 1000',
          '3 ffff000000014000 7ffec e8008000014707 1000',
        ],
      );
    });

    await t.test('processes that come and go elsewhere are not waited for', patient, async (t) => {
      const { runs, walks, settled, unsettled } = await walked(program, 'forks');
      t.strictSame(
        { walks, settled, unsettled },
        { walks: 6, settled: true, unsettled: ['ffff800000000000 ffff808000000000'] },
      );
      t.strictSame(
        runs.filter((line) => line.startsWith('0 ')),
        ['0 ffff000000000000 1 1000000003 0'],
      );
    });

    await t.test('a table that reads as zeroes and is none is told', patient, async (t) => {
      const { runs, lost } = await walked(program, 'hidden');
      t.match(lost, [/^1 tables could not be read, first the one for 0xffff000000200000/]);
      t.ok(runs.includes('3 ffff000000000000 200 e8008000000707 1000'));
    });
  },
  { unsafeCleanup: true },
);
