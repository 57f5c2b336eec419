// SPDX-License-Identifier: GPL-2.0-only
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gunzipSync } from 'node:zlib';
import t from 'tap';
import { importRun } from '../../results/store/import-run.ts';
import { migrations, storeVersion } from '../../results/store/migrations.ts';
import { findingText, readLooks, scenariosShowing } from '../../results/store/read-looks.ts';
import { openStore, openStoreThatIs } from '../../results/store/store.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { given } from '../given.ts';
import { recordedRun, writeRunFolder } from './recorded-run.ts';

const { record, cases } = recordedRun();

/** Everything in a store, as text. */
function dump(path: string): string {
  using database = new DatabaseSync(path, { readOnly: true });
  const tables = database
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    .all();
  return tables
    .map(({ name }) => `${name} ${JSON.stringify(database.prepare(`SELECT * FROM ${name}`).all())}`)
    .join('\n');
}

t.test('a run folder goes in whole, and comes out as it was', async (t) => {
  const directory = t.testdir();
  const folder = writeRunFolder(join(directory, 'run'), record, cases);
  using store = await openStore(join(directory, 'new folder', 'store.sqlite'));
  const imported = importRun(store, folder);
  t.match(imported, { cases: cases.length, changed: cases.length, newRun: true });
  const looks = readLooks(store);
  t.equal(looks.length, cases.length);
  const byName = new Map(looks.map((look) => [look.case, look]));
  for (const each of cases) {
    const look = byName.get(each.case);
    const { kernel, verdict, seconds, linearMap } = each;
    t.match(
      look,
      { kernel, verdict, seconds, linearMap, scenario: { name: each.scenario } },
      each.case,
    );
    t.same(
      look?.findings,
      each.findings.map(({ id, known }) => ({ id, ...(known !== undefined && { known }) })),
    );
  }
  t.match(given(looks[0]).run, {
    folder,
    started: record.started,
    ptdiff: '368619fa1d53',
    emulator: { version: '11.1.3' },
  });
  const failed = cases.filter(({ verdict }) => verdict === 'fail');
  const first = given(given(failed[0]).findings[0]);
  t.same(
    scenariosShowing(store, first.id),
    [
      ...new Set(
        cases
          .filter(({ findings }) => findings.some(({ id }) => id === first.id))
          .map((each) => each.scenario),
      ),
    ].sort(),
  );
  const text = findingText(store, first.id);
  t.equal(text?.title, first.title);
  t.ok(cases.some(({ findings }) => findings.some(({ detail }) => detail === text?.detail)));
  t.equal(findingText(store, 'splat/nothing'), undefined);
  t.equal(
    readLooks(store, { scenarios: ['max'] }).length,
    cases.filter(({ scenario }) => scenario === 'max').length,
  );
  t.equal(readLooks(store, { since: '2999' }).length, 0);
});

t.test('importing twice changes nothing; what is new comes in', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'store.sqlite');
  const folder = writeRunFolder(
    join(directory, 'run'),
    { ...record, ended: undefined },
    cases.slice(0, 50),
  );
  using store = await openStore(path);
  importRun(store, folder);
  const half = dump(path);
  t.match(importRun(store, folder), { changed: 0, newRun: false });
  t.equal(dump(path), half);

  // The run went on: a case that had ended in an error was run again, with another result.
  const error: CaseResult = {
    ...given(cases[0]),
    verdict: 'error',
    findings: [],
    linearMap: {},
    reason: 'the host was tired',
  };
  writeRunFolder(folder, { ...record, ended: undefined }, [error, ...cases.slice(1, 50)]);
  t.match(importRun(store, folder), { changed: 1, newRun: false });
  writeRunFolder(folder, record, [...cases.slice(1), given(cases[0])]);
  t.match(importRun(store, folder), { changed: cases.length - 49, newRun: false });
  const looks = readLooks(store);
  t.equal(looks.length, cases.length);
  t.equal(
    looks.find((look) => look.case === given(cases[0]).case)?.verdict,
    given(cases[0]).verdict,
  );
  const whole = dump(path);
  t.match(importRun(store, folder), { changed: 0, newRun: false });
  t.equal(dump(path), whole);
});

t.test('a damaged run folder leaves the store as it was', async (t) => {
  const directory = t.testdir();
  const path = join(directory, 'store.sqlite');
  using store = await openStore(path);
  const empty = dump(path);
  const folder = writeRunFolder(join(directory, 'run'), record, cases);
  writeFileSync(join(folder, 'cases.jsonl'), `${JSON.stringify(cases[0])}\n{"case":1}\n`);
  t.throws(() => importRun(store, folder), {
    name: 'PtdiffError',
    fault: 'usage',
    message: /line 2 is not a case/,
  });
  writeRunFolder(folder, { ...record, scenarios: [] }, cases);
  t.throws(() => importRun(store, folder), {
    fault: 'usage',
    message: /run\.json does not describe/,
  });
  t.throws(() => importRun(store, directory), { fault: 'usage', message: /not a run folder/ });
  t.equal(dump(path), empty);
});

t.test(
  'what is no store of this program is refused in one sentence, and not touched',
  async (t) => {
    const directory = t.testdir({
      text: 'This is not a database, but a text of more than a hundred bytes. '.repeat(20),
    });
    const text = join(directory, 'text');
    await t.rejects(openStore(text), {
      name: 'PtdiffError',
      fault: 'host',
      message: /it is no database/,
    });
    await t.rejects(openStoreThatIs(join(directory, 'none')), {
      fault: 'usage',
      message: /There is no results store/,
    });
    await t.rejects(openStore(join(text, 'below')), { name: 'PtdiffError', fault: 'host' });

    const newer = join(directory, 'newer.sqlite');
    (await openStore(newer)).close();
    const database = new DatabaseSync(newer);
    database.exec(`PRAGMA user_version = ${storeVersion + 1}`);
    database.close();
    const bytes = readFileSync(newer);
    await t.rejects(openStore(newer), {
      fault: 'usage',
      message: new RegExp(
        `has version ${storeVersion + 1}, this ptdiff knows versions up to ${storeVersion};.*\\.$`,
      ),
    });
    t.same(readFileSync(newer), bytes);

    const foreign = join(directory, 'foreign.sqlite');
    const other = new DatabaseSync(foreign);
    other.exec('CREATE TABLE song (title TEXT)');
    other.close();
    await t.rejects(openStore(foreign), {
      fault: 'usage',
      message: /a database, but not a ptdiff store/,
    });
    t.notOk(existsSync(`${foreign}-wal`));

    const damaged = join(directory, 'damaged.sqlite');
    {
      using store = await openStore(damaged);
      importRun(store, writeRunFolder(join(directory, 'run'), record, cases));
    }
    const holed = readFileSync(damaged);
    holed.fill(0xff, 8192, holed.length);
    writeFileSync(damaged, holed);
    const use = async () => {
      using store = await openStore(damaged);
      readLooks(store);
    };
    await t.rejects(use(), {
      name: 'PtdiffError',
      fault: 'host',
      message: /damaged; move it away/,
    });
  },
);

t.test('a recorded store of version 1 is brought to the newest version', async (t) => {
  const path = join(t.testdir(), 'store.sqlite');
  writeFileSync(
    path,
    gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', 'store-1.sqlite.gz'))),
  );
  {
    using old = new DatabaseSync(path);
    t.same({ ...old.prepare('PRAGMA user_version').get() }, { user_version: 1 });
  }
  {
    using store = await openStore(path);
    t.equal(readLooks(store).length, cases.length);
    const again = importRun(store, writeRunFolder(join(t.testdirName, 'run'), record, cases));
    t.match(again, { changed: 0, newRun: false }, 'it knows the run that it was made of');
  }
  using database = new DatabaseSync(path);
  t.same({ ...database.prepare('PRAGMA user_version').get() }, { user_version: migrations.length });
  const fresh = join(t.testdirName, 'fresh.sqlite');
  (await openStore(fresh)).close();
  using made = new DatabaseSync(fresh);
  const schema = 'SELECT type, name, sql FROM sqlite_schema ORDER BY name';
  t.same(
    database.prepare(schema).all(),
    made.prepare(schema).all(),
    'both ways lead to one schema',
  );
});
