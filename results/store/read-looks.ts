// SPDX-License-Identifier: GPL-2.0-only
import { z } from 'zod';
import { findingKinds } from '../../src/diff/types.ts';
import { checkpointNames } from '../../src/evidence/capture.ts';
import type { FindingText, Look } from '../../src/history/types.ts';
import { verdictOrder } from '../../src/report/verdicts.ts';
import { depths } from '../../src/scenario/depth.ts';
import type { Store } from './store.ts';

const nullable = z.string().nullable();

const lookRow = z.object({
  id: z.number(),
  run: z.string(),
  started: z.string(),
  folder: z.string(),
  ptdiff: z.string(),
  emulatorVersion: z.string(),
  emulatorSha256: z.string(),
  name: z.string(),
  spec: z.string(),
  release: z.string(),
  flavour: z.string(),
  sha256: z.string(),
  generation: z.string(),
  scenario: z.string(),
  hash: z.string(),
  verdict: z.enum(verdictOrder),
  reason: nullable,
  seconds: z.number(),
  depth: z.enum(depths),
});

const looksQuery = `
  SELECT result.id, run.id AS run, run.started, run.folder, coalesce(run.ptdiff_commit, run.ptdiff_version) AS ptdiff,
    emulator.version AS emulatorVersion, emulator.sha256 AS emulatorSha256, result.name, result.spec, kernel.release,
    kernel.flavour, kernel.sha256, result.generation, scenario.name AS scenario, scenario.hash, result.verdict, result.reason,
    result.seconds, result.depth
  FROM result
  JOIN run ON run.id = result.run
  JOIN emulator ON emulator.id = run.emulator
  JOIN kernel ON kernel.id = result.kernel
  JOIN scenario ON scenario.id = result.scenario`;

const mapRow = z.object({
  result: z.number(),
  checkpoint: z.enum(checkpointNames),
  page: z.number(),
  contPte: z.number(),
  pmd: z.number(),
  contPmd: z.number(),
  pud: z.number(),
  invalid: z.number(),
});
const sightingRow = z.object({ result: z.number(), id: z.string(), known: nullable });

/** Which looks to read; all of them when empty. */
interface LookFilter {
  /** Names of scenarios. */
  scenarios?: readonly string[];
  /** Hashes of the kernels' Images. */
  kernels?: readonly string[];
  /** Runs that started then or later, ISO 8601. */
  since?: string;
}

/** Looks from the store, in order of time. */
export function readLooks(store: Store, filter: LookFilter = {}): Look[] {
  const where = `WHERE run.started >= ?
    AND (? IS NULL OR scenario.name IN (SELECT value FROM json_each(?)))
    AND (? IS NULL OR kernel.sha256 IN (SELECT value FROM json_each(?)))`;
  const asJson = (list: readonly string[] | undefined) =>
    list === undefined ? null : JSON.stringify(list);
  const [names, kernels] = [asJson(filter.scenarios), asJson(filter.kernels)];
  const values = [filter.since ?? '', names, names, kernels, kernels];
  const chosen = `SELECT result.id FROM result JOIN run ON run.id = result.run JOIN scenario ON scenario.id = result.scenario
    JOIN kernel ON kernel.id = result.kernel ${where}`;
  const rows = store.rows(
    lookRow,
    `${looksQuery} ${where} ORDER BY run.started, run.id, result.name`,
    ...values,
  );
  const maps = store.rows(
    mapRow,
    `SELECT result, checkpoint, page, cont_pte AS contPte, pmd, cont_pmd AS contPmd, pud, invalid FROM linear_map WHERE result IN (${chosen})`,
    ...values,
  );
  const sightings = store.rows(
    sightingRow,
    `SELECT result, finding.name AS id, known FROM sighting JOIN finding ON finding.id = sighting.finding
     WHERE result IN (${chosen}) ORDER BY result, place`,
    ...values,
  );
  const mapsOf = Map.groupBy(maps, ({ result }) => result);
  const sightingsOf = Map.groupBy(sightings, ({ result }) => result);
  return rows.map(
    ({ id, name, run, started, folder, ptdiff, verdict, reason, seconds, depth, ...row }) => ({
      run: {
        id: run,
        started,
        folder,
        ptdiff,
        emulator: { version: row.emulatorVersion, sha256: row.emulatorSha256 },
      },
      case: name,
      kernel: {
        spec: row.spec,
        release: row.release,
        flavour: row.flavour,
        sha256: row.sha256,
        generation: row.generation,
      },
      scenario: { name: row.scenario, hash: row.hash },
      ...(depth === 'early' && { depth }),
      verdict,
      ...(reason !== null && { reason }),
      seconds,
      findings: (sightingsOf.get(id) ?? []).map((each) => ({
        id: each.id,
        ...(each.known !== null && { known: each.known }),
      })),
      linearMap: Object.fromEntries(
        (mapsOf.get(id) ?? []).map(({ result: _, checkpoint, ...sizes }) => [checkpoint, sizes]),
      ),
    }),
  );
}

const nameRow = z.object({ name: z.string() });

/** Ids of all findings ever seen, sorted. */
export function findingNames(store: Store): string[] {
  return store.rows(nameRow, 'SELECT name FROM finding ORDER BY name').map(({ name }) => name);
}

/** Names of all scenarios ever run, sorted. */
export function scenarioNames(store: Store): string[] {
  return store
    .rows(nameRow, 'SELECT DISTINCT name FROM scenario ORDER BY name')
    .map(({ name }) => name);
}

/** Names of all cases ever run, sorted, with their scenarios. */
export function caseNames(store: Store): Map<string, string> {
  const row = nameRow.extend({ scenario: z.string() });
  const rows = store.rows(
    row,
    'SELECT DISTINCT result.name, scenario.name AS scenario FROM result JOIN scenario ON scenario.id = result.scenario ORDER BY 1',
  );
  return new Map(rows.map(({ name, scenario }) => [name, scenario]));
}

/** Names of the scenarios that have ever shown a finding. */
export function scenariosShowing(store: Store, finding: string): string[] {
  const sql = `SELECT DISTINCT scenario.name FROM sighting
    JOIN finding ON finding.id = sighting.finding
    JOIN result ON result.id = sighting.result
    JOIN scenario ON scenario.id = result.scenario
    WHERE finding.name = ? ORDER BY 1`;
  return store.rows(nameRow, sql, finding).map(({ name }) => name);
}

const textRow = z.object({
  kind: z.enum(findingKinds),
  checkpoint: z.enum(checkpointNames).nullable(),
  title: z.string(),
  detail: z.string(),
  case: z.string(),
});

/**
 * Title and evidence of a finding, from its last sighting; undefined for one that was never seen.
 */
export function findingText(store: Store, finding: string): FindingText | undefined {
  const sql = `SELECT finding.kind, finding.checkpoint, sighting.title, content.text AS detail, result.name AS "case" FROM sighting
    JOIN finding ON finding.id = sighting.finding
    JOIN content ON content.id = sighting.detail
    JOIN result ON result.id = sighting.result
    JOIN run ON run.id = result.run
    WHERE finding.name = ? ORDER BY run.started DESC, run.id DESC, result.name LIMIT 1`;
  const row = store.row(textRow, sql, finding);
  if (row === undefined) return undefined;
  const { checkpoint, ...text } = row;
  return { id: finding, ...text, ...(checkpoint !== null && { checkpoint }) };
}
