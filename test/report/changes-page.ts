// SPDX-License-Identifier: GPL-2.0-only
import { formatHtml } from '../../src/report/html/page.ts';
import type { RecordedChanges } from '../../src/report/recorded-changes.ts';
import { given } from '../given.ts';
import { sampleReport } from './sample-run.ts';

/** A name that must stay text. */
export const hostile = 'set_memory_ro <- <script>alert(1)</script>';

/** A page whose first case has these changes, of memory that its map shows. */
export function pageWith(by: string): string {
  const report = sampleReport(0.02);
  const [result] = report.cases;
  const dossier = given(report.dossiers.get(given(result).case));
  const region = given(dossier.drawings.at(-1)).linearRegion.start;
  const first = given(given(dossier.drawings.at(-1)).actual[0]).va;
  const at = Number((first - region) / 4096n);
  const changes: RecordedChanges = {
    instants: [
      { time: 1_000_000, checkpoint: 'paging_init' },
      { time: 2_500_000 },
      { time: 3_000_000, checkpoint: 'init' },
    ],
    rows: [
      {
        by,
        areas: ['Linear mapping'],
        deeds: [
          { slice: 0, counts: [5000, 0, 0, 0, 0, 0], where: [[at, at + 512]] },
          { slice: 2, counts: [7, 1, 0, 0, 0, 2], where: [[at + 64, at + 65]] },
        ],
      },
      { by: 'early', areas: [], deeds: [{ slice: 0, counts: [1, 0, 0, 0, 0, 0], where: [] }] },
    ],
    more: 3,
  };
  dossier.changes = () => changes;
  return formatHtml(report);
}
