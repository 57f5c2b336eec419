// SPDX-License-Identifier: GPL-2.0-only
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { onHost } from '../../host/host-file.ts';
import { makeFolder } from '../../host/make-folder.ts';
import { PtdiffError } from '../../src/errors.ts';
import { migrations, storeVersion } from './migrations.ts';
import { explainStoreError, resultCodeOf, sqliteCodes } from './store-errors.ts';

/**
 * 'ptdf': the application_id that marks a database as ptdiff's (SQLite file format, section
 * 1.3.15).
 */
const applicationId = 0x70746466;

/**
 * How long a process waits for another one that writes; the longest transaction, an import of 1,000
 * cases, takes well under a second.
 */
const patienceSeconds = 60;

/**
 * The results store: one SQLite file. Every change is one transaction and is on disk when the call
 * returns, so a process may be killed at any point. Writers wait for each other (write-ahead log);
 * readers do not wait.
 */
export class Store {
  readonly path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  /** Use openStore() or openStoreThatIs(). */
  constructor(path: string, database: DatabaseSync) {
    this.path = path;
    this.#database = database;
  }

  /** Runs `change` as one transaction: all of it takes effect, or nothing. */
  transaction<T>(change: () => T): T {
    return this.#guard(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const value = change();
        this.#database.exec('COMMIT');
        return value;
      } catch (error) {
        // After some errors SQLite has rolled back by itself.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  /** Executes one statement. */
  run(sql: string, ...values: SQLInputValue[]): void {
    this.#guard(() => this.#prepared(sql).run(...values));
  }

  /** All rows of a query, each of the given type. */
  rows<T>(shape: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T[] {
    const rows = this.#guard(() => this.#prepared(sql).all(...values));
    return rows.map((row) => {
      const parsed = shape.safeParse(row);
      if (parsed.success) return parsed.data;
      throw new PtdiffError(
        'host',
        `${this.path} contains data that ptdiff did not write; move it away and import the run folders again.`,
      );
    });
  }

  /** The first row of a query, if there is one. */
  row<T>(shape: z.ZodType<T>, sql: string, ...values: SQLInputValue[]): T | undefined {
    return this.rows(shape, sql, ...values)[0];
  }

  close(): void {
    this.#database.close();
  }

  [Symbol.dispose](): void {
    if (this.#database.isOpen) this.close();
  }

  #prepared(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(use: () => T): T {
    try {
      return use();
    } catch (error) {
      throw explainStoreError(error, this.path);
    }
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]);
}

/**
 * @throws PtdiffError(usage) for a database that is not ptdiff's, or was written by a later ptdiff
 */
function checkIdentity(path: string, database: DatabaseSync): number {
  const version = pragma(database, 'user_version');
  const tables = Number(database.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n);
  if (tables > 0 && pragma(database, 'application_id') !== applicationId) {
    throw new PtdiffError(
      'usage',
      `${path} is a database, but not a ptdiff store; name another file.`,
    );
  }
  if (version > storeVersion) {
    throw new PtdiffError(
      'usage',
      `${path} has version ${version}, this ptdiff knows versions up to ${storeVersion}; use the ptdiff that wrote it, or name another --store.`,
    );
  }
  return version;
}

/**
 * Migrates the schema to this program's version, in one transaction; of two processes that try,
 * only one does it.
 */
function migrate(path: string, database: DatabaseSync): void {
  if (checkIdentity(path, database) === storeVersion) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const step of migrations.slice(checkIdentity(path, database))) database.exec(step);
    database.exec(
      `PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${storeVersion}; COMMIT`,
    );
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

/**
 * The write-ahead log cannot be switched on while another process is doing so, and SQLite does not
 * wait in that case.
 */
async function useWriteAheadLog(database: DatabaseSync): Promise<void> {
  for (const deadline = Date.now() + patienceSeconds * 1000; ; ) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (resultCodeOf(error) !== sqliteCodes.busy || Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

/**
 * Opens the store for reading and writing; creates it, with its folder, if it does not exist.
 * @throws PtdiffError in one sentence: usage (not a store, or from a later ptdiff), host (no space,
 * no permission, damaged)
 */
export async function openStore(path: string): Promise<Store> {
  onHost(path, () => makeFolder(dirname(path)));
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec(`PRAGMA busy_timeout = ${patienceSeconds * 1000}; PRAGMA synchronous = FULL`);
    checkIdentity(path, database);
    await useWriteAheadLog(database);
    migrate(path, database);
    return new Store(path, database);
  } catch (error) {
    database?.close();
    throw explainStoreError(error, path);
  }
}

/**
 * Opens a store that must already exist.
 * @throws PtdiffError of openStore(), and usage when there is none
 */
export async function openStoreThatIs(path: string): Promise<Store> {
  if (existsSync(path)) return openStore(path);
  throw new PtdiffError(
    'usage',
    `There is no results store ${path} yet: every command that boots kernels writes to it, and './ptdiff import DIR' imports older run folders.`,
  );
}
