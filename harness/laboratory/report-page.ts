// SPDX-License-Identifier: GPL-2.0-only
import { join } from 'node:path';
import { replaceFile } from '../../host/host-file.ts';
import { timedNow } from '../../host/timed.ts';
import { loadKnownIssues } from '../../results/known-issues.ts';
import { readRunFolder, runFiles } from '../../results/run-folder.ts';
import { formatHtml } from '../../src/report/html/page.ts';
import type { Report } from '../../src/report/types.ts';
import { knownIssuesFolder } from './laboratory.ts';

/** Writes report.html into a run folder. */
export async function writeReportPage(folder: string): Promise<{ report: Report; page: string }> {
  const known = await loadKnownIssues(knownIssuesFolder);
  return timedNow('report', () => {
    const report = readRunFolder(folder, known);
    const page = join(folder, runFiles.report);
    replaceFile(page, formatHtml(report));
    return { report, page };
  });
}
