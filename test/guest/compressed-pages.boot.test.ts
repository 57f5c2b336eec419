// SPDX-License-Identifier: GPL-2.0-only
/** guest/collect's decoders of LZO and Snappy, against the libraries that compress with them. */

import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { given } from '../given.ts';
import { buildCompressedPages } from './compressed-pages.ts';

// The compiler and the libraries may have to be fetched.
t.setTimeout(0);

t.test('pages, and what is no page any more, as the libraries have them', async (t) => {
  const program = join(t.testdir(), 'compressed-pages');
  await buildCompressedPages(program);
  for (const seed of ['1', '2', '3']) {
    const { exitCode, stdout, signal } = await execa(program, ['fuzz', seed, '300'], {
      reject: false,
    });
    t.match({ exitCode, signal }, { exitCode: 0, signal: undefined }, stdout);
    const answers = [...stdout.matchAll(/^(\w+) (\d+) (\d+)$/gm)];
    t.strictSame(
      answers.map(([, name]) => name),
      ['lzo', 'snappy'],
    );
    for (const [line, , taken, refused] of answers)
      t.ok(Number(given(taken)) > 600 && Number(given(refused)) > 3000, line);
  }
});
