// SPDX-License-Identifier: GPL-2.0-only
import { once } from 'node:events';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { readLooks } from '../../results/store/read-looks.ts';
import { openStore } from '../../results/store/store.ts';
import { given } from '../given.ts';
import { recordedRun, writeRunFolder } from './recorded-run.ts';

const { record, cases } = recordedRun();

/** Copies of the recorded run, each a run of its own. */
function runFolders(directory: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const started = new Date(Date.parse(record.started) + index * 1000).toISOString();
    return writeRunFolder(join(directory, `run-${index}`), { ...record, started }, cases);
  });
}

/** Starts a process that will import the folders; it has loaded everything and waits. */
async function writer(path: string, folders: string[]) {
  const script = join(import.meta.dirname, 'store-writer.ts');
  const child = execa(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', script, path, ...folders],
    {
      stdin: 'pipe',
      reject: false,
    },
  );
  await once(child.stdout, 'data');
  return { child, go: () => child.stdin.write('go\n'), goAndEnd: () => child.stdin.end('go\n') };
}

/**
 * A store is whole: SQLite says so, every row belongs to something, every run has all of its cases.
 */
function checkWhole(t: Test, path: string): number {
  using database = new DatabaseSync(path);
  t.same(
    database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => ({ ...row })),
    [{ integrity_check: 'ok' }],
  );
  t.same(database.prepare('PRAGMA foreign_key_check').all(), []);
  const runs = database
    .prepare('SELECT (SELECT count(*) FROM result WHERE result.run = run.id) AS n FROM run')
    .all()
    .map(({ n }) => n);
  t.same([...new Set(runs)], runs.length === 0 ? [] : [cases.length], 'no run is there in part');
  return runs.length;
}

/** Waits until a writer has said so many lines. */
async function spoken(stdout: Readable, lines: number): Promise<void> {
  for (let count = 0; count < lines; ) {
    const [text] = await once(stdout, 'data');
    count += String(text).split('\n').length - 1;
  }
}

t.test('kill -9 at any point leaves a store that is whole', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'store.sqlite');
  const folders = runFolders(directory, 10);
  // While the store is made, and then some milliseconds into the import after `lines` lines.
  for (const [lines, milliseconds] of [
    [0, 1],
    [1, 5],
    [2, 20],
    [3, 40],
    [5, 60],
  ] as const) {
    const { child, go } = await writer(path, folders);
    go();
    await spoken(child.stdout, lines);
    await sleep(milliseconds);
    child.kill('SIGKILL');
    t.equal((await child).signal, 'SIGKILL', 'it was there to be killed');
    (await openStore(path)).close();
    checkWhole(t, path);
  }
  const { child, goAndEnd } = await writer(path, folders);
  goAndEnd();
  t.equal((await child).exitCode, 0, 'the next one goes on');
  t.equal(checkWhole(t, path), folders.length);
});

t.test(
  'writers that start at the same time wait for each other, from the making of the store on',
  async (t) => {
    const directory = t.testdir();
    const path = join(directory, 'store.sqlite');
    const folders = runFolders(directory, 6);
    const shares = [folders.slice(0, 4), folders.slice(2), folders];
    const writers = await Promise.all(shares.map((share) => writer(path, share)));
    for (const { goAndEnd } of writers) goAndEnd();
    for (const { child } of writers) {
      const { exitCode, stderr } = await child;
      t.equal(exitCode, 0, stderr);
    }
    t.equal(checkWhole(t, path), folders.length, 'what several bring is there once');
    using store = await openStore(path);
    t.equal(readLooks(store).length, folders.length * cases.length);
  },
);

t.test('a reader waits for no writer', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'store.sqlite');
  const folder = given(runFolders(directory, 1)[0]);
  const { child, goAndEnd } = await writer(path, [folder]);
  goAndEnd();
  await child;
  using busy = new DatabaseSync(path);
  busy.exec('BEGIN IMMEDIATE; DELETE FROM result');
  using store = await openStore(path);
  t.equal(readLooks(store).length, cases.length, 'it sees what was there before');
  busy.exec('ROLLBACK');
});
