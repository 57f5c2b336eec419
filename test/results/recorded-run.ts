// SPDX-License-Identifier: GPL-2.0-only
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parseCaseLines, runFiles } from '../../results/run-folder.ts';
import { runRecordSchema } from '../../results/schema.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import type { RunRecord } from '../../src/report/types.ts';

const unzip = (name: string): string =>
  gunzipSync(readFileSync(join(import.meta.dirname, 'fixtures', `${name}.gz`))).toString();

/** A real run of 120 cases; see fixtures/README.md. */
export function recordedRun(): { record: RunRecord; cases: CaseResult[] } {
  return {
    record: runRecordSchema.parse(JSON.parse(unzip('default-run.json'))),
    cases: parseCaseLines(unzip('default-cases.jsonl'), 'default-cases.jsonl'),
  };
}

/** Writes run.json and cases.jsonl of a run folder. */
export function writeRunFolder(
  folder: string,
  record: RunRecord,
  cases: readonly CaseResult[],
): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, runFiles.run), JSON.stringify(record));
  writeFileSync(
    join(folder, runFiles.cases),
    cases.map((each) => `${JSON.stringify(each)}\n`).join(''),
  );
  return folder;
}
