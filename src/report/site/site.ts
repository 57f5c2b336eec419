// SPDX-License-Identifier: GPL-2.0-only
import { bySeries } from '../../history/order-kernels.ts';
import { fileNames } from './file-names.ts';
import { findingPage } from './finding-page.ts';
import { indexPage } from './index-page.ts';
import { seriesPage } from './series-page.ts';
import type { SiteData, SiteFiles } from './types.ts';

/** The pages of the site by file name; they refer only to each other. */
export function formatSite(data: SiteData): Map<string, string> {
  const series = bySeries(data.looks);
  const files: SiteFiles = {
    finding: fileNames(
      'finding',
      data.findings.map(({ life }) => life.id),
    ),
    series: fileNames(
      'series',
      series.map(([name]) => name),
    ),
  };
  const pages = new Map([['index.html', indexPage(data, files)]]);
  for (const [name, looks] of series)
    pages.set(files.series.get(name) ?? '', seriesPage(name, looks, files));
  for (const finding of data.findings) {
    pages.set(
      files.finding.get(finding.life.id) ?? '',
      findingPage(finding, data.knownIssues, files),
    );
  }
  return pages;
}
