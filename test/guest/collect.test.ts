// SPDX-License-Identifier: GPL-2.0-only
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { capturedVariables, maximumBitmapBytes } from '../../src/linux/variables.ts';

const source = (name: string) =>
  readFileSync(join(import.meta.dirname, '../../guest/collect', name), 'utf8');

t.test('collect reads the variables that the harness reads, and as much of each', async (t) => {
  const listed = source('variables.c').matchAll(/^\t\{ "(\w+)", (\d+) \},$/gm);
  t.strictSame(
    [...listed].map(([, name, bytes]) => [name, Number(bytes)]),
    Object.entries(capturedVariables),
  );
  t.match(source('variables.c'), `#define MAX_BITMAP ${maximumBitmapBytes}\n`);
});

t.test('every member of an archive is explained in --help, and how many variables', async (t) => {
  const files = ['main.c', 'host-files.c'].map(source).join();
  const members = [
    ...files.matchAll(/(?:archive_member|add_file)\((?:&?archive), "([\w.]+)"/g),
  ].map(([, name]) => name);
  const explained = [...source('archive.c').matchAll(/^\t\{ "([\w.]+)", "/gm)].map(
    ([, name]) => name,
  );
  t.ok(members.length > 15);
  t.strictSame([...new Set([...members, 'Image'])].sort(), explained.sort());
  t.match(source('archive.c'), `"${Object.keys(capturedVariables).length} named variables`);
});

t.test(
  'recorded archives have members in the order of --help, and neither owner nor time',
  async (t) => {
    const explained = [...source('archive.c').matchAll(/^\t\{ "([\w.]+)", "/gm)].map(
      ([, name]) => name,
    );
    const recorded = globSync(join(import.meta.dirname, '../evidence/fixtures/board-*.tar.gz'));
    t.ok(recorded.length >= 3);
    for (const file of recorded) {
      const tar = gunzipSync(readFileSync(file));
      const names: string[] = [];
      for (let at = 0; tar[at] !== 0; ) {
        const field = (from: number, bytes: number) =>
          tar.toString('latin1', at + from, at + from + bytes).replace(/\0.*/s, '');
        names.push(field(0, 100));
        // uid, gid, mtime; type; names of user and group.
        t.strictSame(
          [108, 116, 136].map((from) => Number(field(from, 7))),
          [0, 0, 0],
        );
        t.strictSame([field(156, 1), field(265, 32), field(297, 32)], ['0', '', '']);
        at += 512 + Math.ceil(Number.parseInt(field(124, 12), 8) / 512) * 512;
      }
      t.strictSame(
        names,
        explained.filter((name) => names.includes(name ?? '')),
      );
      // Without memory to read, an archive has the kernel's own dump and what /proc says.
      t.ok(names.length > (names.includes('kernel_page_tables') ? 7 : 10));
    }
  },
);
