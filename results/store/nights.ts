// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import type { Unconfirmed } from '../../src/nightly/judge-night.ts';
import type { Store } from './store.ts';

const nightRow = z.object({
  id: z.number(),
  started: z.string(),
  folder: z.string(),
  ended: z.string().nullable(),
  total: z.number().nullable(),
  covered: z.number().nullable(),
  unconfirmed: z.string().nullable(),
});

/** A night as recorded in the store. */
type NightRow = z.infer<typeof nightRow>;

const columns = 'id, started, folder, ended, total, covered, unconfirmed';
const unconfirmedList = z.array(z.object({ watch: z.string(), id: z.string() }));

/** Nights of one configuration, the latest first. */
export function nightsOf(store: Store, config: string): NightRow[] {
  return store.rows(
    nightRow,
    `SELECT ${columns} FROM night WHERE config = ? ORDER BY started DESC, id DESC`,
    config,
  );
}

/**
 * Nights that have started and not ended: none of them is still running while the caller holds the
 * lock of the nights.
 */
export function brokenNights(store: Store): NightRow[] {
  return store.rows(nightRow, `SELECT ${columns} FROM night WHERE ended IS NULL ORDER BY id`);
}

/** Records that a night has started: if it is killed, the next one imports its results. */
export function beginNight(store: Store, config: string, started: string, folder: string): number {
  return store.transaction(() => {
    store.run(
      'INSERT INTO night (config, started, folder) VALUES (?, ?, ?)',
      config,
      started,
      folder,
    );
    const row = store.row(z.object({ id: z.number() }), 'SELECT max(id) AS id FROM night');
    return row?.id ?? 0;
  });
}

/** What is recorded at the end of a night. */
interface NightEnd {
  ended: string;
  /** Cases of the matrix; absent if the night was killed before this was known. */
  total?: number;
  /** Cases that the last nights have covered. */
  covered?: number;
  unconfirmed: Unconfirmed;
}

/** Records the end of a night. */
export function endNight(
  store: Store,
  id: number,
  { ended, total, covered, unconfirmed }: NightEnd,
): void {
  store.transaction(() =>
    store.run(
      'UPDATE night SET ended = ?, total = ?, covered = ?, unconfirmed = ? WHERE id = ?',
      ...[
        ended,
        total ?? null,
        covered ?? null,
        JSON.stringify(unconfirmed.map(({ watch, id }) => ({ watch, id }))),
        id,
      ],
    ),
  );
}

/** The findings that the last night of a configuration could not confirm. */
export function lastUnconfirmed(nights: readonly NightRow[]): Unconfirmed {
  const last = nights.find(({ unconfirmed }) => unconfirmed !== null)?.unconfirmed;
  return last ? unconfirmedList.parse(JSON.parse(last)) : [];
}

/** A kernel of a watch. */
interface WatchedKernel {
  watch: string;
  /** SHA-256 of the Image. */
  sha256: string;
}

/** Records which kernels the watches have since a night. */
export function rememberKernels(store: Store, kernels: readonly WatchedKernel[], at: string): void {
  store.transaction(() => {
    for (const { watch, sha256 } of kernels) {
      store.run(
        'INSERT INTO watched (watch, sha256, first_seen) VALUES (?, ?, ?) ON CONFLICT DO NOTHING',
        ...[watch, sha256, at],
      );
    }
  });
}

/** Every kernel that a watch has ever had. */
export function watchedKernels(store: Store): WatchedKernel[] {
  const row = z.object({ watch: z.string(), sha256: z.string() });
  return store.rows(row, 'SELECT watch, sha256 FROM watched ORDER BY watch, first_seen, sha256');
}
