// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
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
