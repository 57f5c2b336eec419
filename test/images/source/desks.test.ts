// SPDX-License-Identifier: GPL-2.0-only
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { z } from 'zod';
import { readRecord, writeRecord } from '../../../host/records.ts';
import { type Desk, withDesk, withNewDesk } from '../../../images/source/desks.ts';
import { type GitStore, openGitStore } from '../../../images/source/git-store.ts';
import { given } from '../../given.ts';

const root = t.testdir();
process.env.PTDIFF_CACHE = root;

type Files = Record<string, string>;

function write(directory: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** A desk with these files; answers with their tree. */
function newDesk(store: GitStore, files: Files): Promise<string> {
  return withNewDesk({}, async (desk) => {
    write(desk.source, files);
    const place = { index: desk.index, workTree: desk.source };
    await store.run(['add', '--all', '.'], place);
    return (await store.run(['write-tree'], place)).trim();
  });
}

const stamp = 'objects/gcc/stamp';
const at = <T>(store: GitStore, tree: string, work: (desk: Desk) => Promise<T>) =>
  withDesk(store, { tree, alternates: [] }, stamp, {}, work);
const desks = () => readdirSync(join(root, 'source', 'desks'));

const other = (desk: string) =>
  join(root, 'source', 'desks', desks().find((name) => !desk.endsWith(name)) ?? '');
const remove = () => rmSync(join(root, 'source', 'desks'), { recursive: true, force: true });

/**
 * Makes all that lies at a desk older than anything that is written from now on: its files, then
 * the last build.
 */
async function age(store: GitStore, { directory, source, index }: Desk): Promise<void> {
  for (const name of readdirSync(source)) utimesSync(join(source, name), 1, 1);
  utimesSync(join(directory, stamp), 2, 2);
  // Git knows its files by their times.
  await store.run(['update-index', '--refresh'], { index, workTree: source });
}

/** Says when each desk was used last, by the file that its source has alone. */
async function setUses(order: readonly string[]): Promise<void> {
  for (const name of desks()) {
    const directory = join(root, 'source', 'desks', name);
    const used = order.findIndex((file) => existsSync(join(directory, 'source', file)));
    const record = join(directory, 'desk.json');
    await writeRecord(record, { ...(await readRecord(record, z.looseObject({}))), used });
  }
}

/** Files by number, those from `first` to below `end` with other text. */
function files(text = 'old', first = 0, end = 0): Files {
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  return Object.fromEntries(numbers.map((n) => [`file${n}`, n >= first && n < end ? text : 'old']));
}

t.test('a kernel is built where make has the fewest files to look at anew', async (t) => {
  remove();
  const store = await openGitStore();
  const base = await newDesk(store, files());
  const stale = await at(store, base, async (desk) => {
    write(desk.directory, { [stamp]: '' });
    await age(store, desk);
    return desk.directory;
  });
  // The desk goes on to another source, for another configuration: its objects stay behind.
  const tip = await newDesk(store, files('new', 0, 15));
  rmSync(other(stale), { recursive: true });
  t.equal(await at(store, tip, async ({ directory }) => directory), stale, 'the only desk');

  await newDesk(store, files('new', 0, 12));
  const fresh = other(stale);
  const ask = () =>
    at(store, tip, async ({ directory, source }) => [
      directory,
      readFileSync(join(source, 'file14'), 'utf8'),
    ]);
  t.same(
    await ask(),
    [stale, 'new'],
    'one without objects is worse than fifteen files that changed',
  );
  write(fresh, { [stamp]: '' });
  t.same(
    await ask(),
    [fresh, 'new'],
    'three files to check out are less than fifteen that changed since the last build',
  );
});

t.test('a source that cannot be had takes the place of no other', async (t) => {
  remove();
  const store = await openGitStore();
  for (const name of ['a', 'b', 'c']) await newDesk(store, { [name]: name });
  await setUses(['a', 'b', 'c']);
  const before = desks();
  const failing = withNewDesk({}, async (desk) => {
    write(desk.source, { half: '' });
    throw new Error('a damaged archive');
  });
  await t.rejects(failing, { message: 'a damaged archive' });
  t.same(desks(), before);
  await newDesk(store, { d: 'd' });
  t.equal(desks().length, 3);
  const sources = desks().flatMap((name) =>
    readdirSync(join(root, 'source', 'desks', name, 'source')),
  );
  t.same(sources.sort(), ['b', 'c', 'd'], 'the one used least made room');
});

t.test('a checkout that was cut short is put right', async (t) => {
  remove();
  const store = await openGitStore();
  const tree = await newDesk(store, files());
  const name = given(desks()[0]);
  const directory = join(root, 'source', 'desks', name);
  // What a killed checkout of another tree leaves.
  writeFileSync(join(directory, 'desk.json'), JSON.stringify({ used: Date.now() }));
  write(directory, { 'index.lock': '', 'source/file3': 'of the other tree', 'source/stray': '' });
  await at(store, tree, async ({ source }) => {
    t.equal(readFileSync(join(source, 'file3'), 'utf8'), 'old');
    t.notOk(existsSync(join(source, 'stray')));
  });
  t.same(desks(), [name]);
});
