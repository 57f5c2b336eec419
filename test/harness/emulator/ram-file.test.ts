// SPDX-License-Identifier: GPL-2.0-only

import { closeSync, openSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openRam } from '../../../harness/emulator/ram-file.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { sizedRange } from '../../../src/linux/physical-range.ts';

const PAGE = 4096;
const BASE = 0x4000_0000;

/** A file of pages in which every word holds its own offset in the file. */
function numberedFile(folder: string, pages: number): string {
  const path = join(folder, 'ram');
  const words = Uint32Array.from({ length: (pages * PAGE) / 4 }, (_, index) => index * 4);
  writeFileSync(path, words);
  return path;
}

t.test('tables come from any page, in any order, with the words of that page', (t) => {
  const pages = 300;
  const ram = openRam(numberedFile(t.testdir(), pages), BASE);
  t.equal(ram.size, pages * PAGE);
  // Downwards as Linux places its tables, upwards, and scattered: each drives the window another
  // way.
  const down = Array.from({ length: pages }, (_, index) => pages - 1 - index);
  const up = Array.from({ length: pages }, (_, index) => index);
  const scattered = up.map((page) => (page * 151) % pages);
  let wrong = 0;
  for (const page of [...down, ...up, ...scattered]) {
    const words = ram.table(BASE + page * PAGE, PAGE);
    if (words?.length !== 1024 || words[0] !== page * PAGE || words[1023] !== page * PAGE + 4092)
      wrong++;
  }
  t.equal(wrong, 0);
  t.same(
    [...(ram.table(BASE + 5 * PAGE + 64, 16) ?? [])],
    [20544, 20548, 20552, 20556],
    'a part of a page',
  );
  ram.close();
  t.end();
});

t.test('what lies outside RAM is no table', (t) => {
  const ram = openRam(numberedFile(t.testdir(), 4), BASE);
  t.equal(ram.table(BASE - PAGE, PAGE), undefined);
  t.equal(ram.table(BASE + 4 * PAGE, PAGE), undefined);
  t.equal(ram.table(BASE + 4 * PAGE - 8, 16), undefined, 'half outside');
  t.equal(ram.table(2 ** 51, PAGE), undefined);
  t.throws(() => ram.read(BASE + 4 * PAGE - 8, 16), {
    fault: 'harness',
    message: /0x40004000 lies outside the RAM/,
  });
  ram.close();
  t.end();
});

t.test('banks: own places in the file, reads across two that touch, no table across them', (t) => {
  const path = numberedFile(t.testdir(), 8);
  const ram = openRam(path, [
    { ...sizedRange(BASE, 2 * PAGE), offset: 6 * PAGE },
    { ...sizedRange(BASE + 2 * PAGE, 2 * PAGE), offset: 0 },
    { ...sizedRange(2 ** 36, PAGE), offset: 2 * PAGE },
  ]);
  t.equal(ram.size, 5 * PAGE);
  t.equal(ram.table(BASE, PAGE)?.[0], 6 * PAGE);
  t.equal(ram.table(2 ** 36, PAGE)?.[0], 2 * PAGE);
  const across = ram.read(BASE + 2 * PAGE - 4, 8);
  t.same([across.readUInt32LE(0), across.readUInt32LE(4)], [8 * PAGE - 4, 0]);
  t.equal(ram.table(BASE + 2 * PAGE - 4096 + 8, PAGE), undefined);
  // A window that grew at the end of one bank must not answer for the file's next bytes.
  t.equal(ram.table(BASE + PAGE, PAGE)?.[0], 7 * PAGE);
  t.equal(ram.table(BASE + 2 * PAGE, PAGE)?.[0], 0);
  ram.close();
  t.throws(() => openRam(path, [{ ...sizedRange(BASE, 9 * PAGE), offset: 0 }]), {
    fault: 'harness',
    message: /has 32768 bytes/,
  });
  t.end();
});

t.test('a walk that begins sees what the guest wrote since the last one', (t) => {
  const path = numberedFile(t.testdir(), 2);
  const ram = openRam(path, BASE);
  t.equal(ram.table(BASE + PAGE, PAGE)?.[0], PAGE);
  const file = openSync(path, 'r+');
  writeSync(file, Uint32Array.of(42), 0, 4, PAGE);
  closeSync(file);
  ram.begin?.();
  t.equal(ram.table(BASE + PAGE, PAGE)?.[0], 42);
  ram.close();
  t.end();
});

t.test('errors name the file', (t) => {
  const folder = t.testdir();
  t.throws(() => openRam(join(folder, 'missing'), BASE), {
    fault: 'host',
    message: /Cannot open the RAM file .*missing/,
  });
  const path = numberedFile(folder, 2);
  const ram = openRam(path, BASE);
  truncateSync(path, PAGE);
  t.throws(() => ram.table(BASE + PAGE, PAGE), { fault: 'harness', message: /became shorter/ });
  ram.close();
  t.throws(() => ram.table(BASE, PAGE), PtdiffError);
  t.end();
});
