// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../../host/cache.ts';
import type { CaseResult, Finding } from '../../src/diff/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { RunRecord } from '../../src/report/types.ts';
import { scenarioHash } from '../../src/scenario/identity.ts';
import { stableJson } from '../../src/stable-json.ts';
import { readCaseLines, readRunRecord } from '../run-folder.ts';
import type { Store } from './store.ts';

/** The result of an import. */
interface Imported {
  run: string;
  /** Cases in the run folder. */
  cases: number;
  /** The number of these that the store did not have, or had with another result. */
  changed: number;
  /** Whether the run is new to the store. */
  newRun: boolean;
}

const identified = z.object({ id: z.number() });
const fingerprinted = z.object({ fingerprint: z.string() });
const namedFingerprint = fingerprinted.extend({ name: z.string() });

/**
 * The id of a run, wherever its folder is: made from its request and its time. A run that was
 * continued later keeps it.
 */
function runId({ started, command, planned }: RunRecord): string {
  return sha256(stableJson({ started, command, planned })).slice(0, 16);
}

/** The row's id; the row is created if necessary. */
function intern<Column extends string>(
  store: Store,
  table: string,
  row: Record<Column, string | null>,
  unique: NoInfer<Column>[],
): number {
  const columns = Object.keys(row);
  const sql = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
    ON CONFLICT (${unique.join(', ')}) DO NOTHING`;
  const found = () =>
    store.row(
      identified,
      `SELECT id FROM ${table} WHERE ${unique.map((column) => `${column} = ?`).join(' AND ')}`,
      ...unique.map((column) => row[column]),
    )?.id;
  const before = found();
  if (before !== undefined) return before;
  store.run(sql, ...Object.values<string | null>(row));
  return found() ?? fail(`${table} does not keep what it is given`);
}

function fail(what: string): never {
  throw new PtdiffError('harness', `The results store is not as it should be: ${what}.`);
}

function internText(store: Store, text: string): number {
  return intern(store, 'content', { sha256: sha256(text), text }, ['sha256']);
}

/** Ids of the kernels and scenarios of one run, each interned once. */
interface RunContext {
  run: string;
  kernel(result: CaseResult): number;
  scenario(result: CaseResult): number;
}

function runContext(store: Store, id: string, record: RunRecord): RunContext {
  const kernels = new Map<string, number>();
  const scenarios = new Map<string, number>();
  const once = (known: Map<string, number>, key: string, make: () => number): number => {
    const value = known.get(key) ?? make();
    known.set(key, value);
    return value;
  };
  return {
    run: id,
    kernel: ({ kernel: { sha256: hash, release, flavour } }) =>
      once(kernels, JSON.stringify([hash, release, flavour]), () => {
        const version =
          record.kernels.find((each) => each.sha256 === hash && each.release === release)
            ?.version ?? '';
        return intern(store, 'kernel', { sha256: hash, release, flavour, version }, [
          'sha256',
          'release',
          'flavour',
        ]);
      }),
    scenario: ({ case: name, scenario: wanted }) =>
      once(scenarios, wanted, () => {
        const scenario = record.scenarios.find((each) => each.name === wanted);
        if (scenario === undefined) {
          throw new PtdiffError(
            'usage',
            `The case ${name} has the scenario '${wanted}', which its run.json does not describe.`,
          );
        }
        const row = {
          hash: scenarioHash(scenario, sha256),
          name: wanted,
          definition: stableJson(scenario),
        };
        return intern(store, 'scenario', row, ['hash', 'name']);
      }),
  };
}

/** Writes the row of a run if it is new or has changed. */
function writeRun(store: Store, id: string, record: RunRecord, folder: string): boolean {
  const { ptdiff, emulator, initramfs, monitor, command, asked, generations, host, unavailable } =
    record;
  const fingerprint = sha256(stableJson({ record, folder }));
  const before = store.row(fingerprinted, 'SELECT fingerprint FROM run WHERE id = ?', id);
  if (before?.fingerprint === fingerprint) return false;
  const row = {
    id,
    fingerprint,
    folder,
    started: record.started,
    ended: record.ended ?? null,
    ptdiff_version: ptdiff.version,
    ptdiff_commit: ptdiff.commit ?? null,
    emulator: intern(
      store,
      'emulator',
      { sha256: emulator.sha256, version: emulator.version, origin: emulator.origin },
      ['sha256'],
    ),
    initramfs: initramfs.sha256,
    monitor: monitor?.sha256 ?? null,
    planned: record.planned.length,
    left_out: record.leftOut.length,
    circumstances: internText(
      store,
      stableJson({ command, asked, generations, host, unavailable }),
    ),
  };
  const columns = Object.keys(row);
  store.run(
    `INSERT INTO run (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})
     ON CONFLICT (id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    ...Object.values(row),
  );
  return before === undefined;
}

function writeSighting(store: Store, result: number, place: number, finding: Finding): void {
  const { id: name, kind, checkpoint = null, title, detail, known = null } = finding;
  const id = intern(store, 'finding', { name, kind, checkpoint }, ['name']);
  store.run(
    'INSERT INTO sighting (result, place, finding, title, detail, known) VALUES (?, ?, ?, ?, ?, ?)',
    ...[result, place, id, title, internText(store, detail), known],
  );
}

function writeResult(
  store: Store,
  context: RunContext,
  result: CaseResult,
  fingerprint: string,
): void {
  const { case: name, kernel, verdict, reason = null, seconds } = result;
  // A case that was run again, after an error, has a new result: the old one is removed with its
  // findings.
  store.run('DELETE FROM result WHERE run = ? AND name = ?', context.run, name);
  store.run(
    `INSERT INTO result (run, name, fingerprint, kernel, spec, generation, scenario, verdict, reason, seconds, symbols)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ...[
      context.run,
      name,
      fingerprint,
      context.kernel(result),
      kernel.spec,
      kernel.generation,
      context.scenario(result),
    ],
    ...[verdict, reason, seconds, internText(store, stableJson(result.symbols))],
  );
  const id =
    store.row(identified, 'SELECT id FROM result WHERE run = ? AND name = ?', context.run, name)
      ?.id ?? fail('a result that was written is not there');
  for (const [checkpoint, { page, contPte, pmd, contPmd, pud, invalid }] of Object.entries(
    result.linearMap,
  )) {
    store.run(
      'INSERT INTO linear_map (result, checkpoint, page, cont_pte, pmd, cont_pmd, pud, invalid) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ...[id, checkpoint, page, contPte, pmd, contPmd, pud, invalid],
    );
  }
  for (const [place, finding] of result.findings.entries())
    writeSighting(store, id, place, finding);
}

/**
 * Imports a run folder into the store: new cases, and cases whose result differs from the store's.
 * Everything else is left alone, so that importing twice changes nothing.
 * @throws PtdiffError of readRunRecord() and readCaseLines(); then the store is unchanged
 */
export function importRun(store: Store, folder: string): Imported {
  return store.transaction(() => {
    // Read while no other process writes: of two imports of a growing folder, the later one has
    // everything that the earlier one had.
    const record = readRunRecord(folder);
    const cases = readCaseLines(folder);
    const id = runId(record);
    const newRun = writeRun(store, id, record, resolve(folder));
    const known = new Map(
      store
        .rows(namedFingerprint, 'SELECT name, fingerprint FROM result WHERE run = ?', id)
        .map(({ name, fingerprint }) => [name, fingerprint]),
    );
    const context = runContext(store, id, record);
    let changed = 0;
    for (const result of cases) {
      const fingerprint = sha256(stableJson(result));
      if (known.get(result.case) === fingerprint) continue;
      writeResult(store, context, result, fingerprint);
      changed++;
    }
    return { run: id, cases: cases.length, changed, newRun };
  });
}
