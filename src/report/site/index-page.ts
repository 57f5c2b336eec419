// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../../diff/text.ts';
import { kernelName } from '../../history/kernel-name.ts';
import { byKernel, bySeries, byTime } from '../../history/order-kernels.ts';
import { paceOfRuns } from '../../history/trends.ts';
import type { Look } from '../../history/types.ts';
import { first, last } from '../../present.ts';
import { titleOf } from '../fold-findings.ts';
import { html, type Markup } from '../html/markup.ts';
import { formatInstant } from '../terminal-history.ts';
import { countVerdicts, describeCounts, verdictStyles } from '../verdicts.ts';
import { ratioChart } from './chart.ts';
import { stateBadge } from './finding-page.ts';
import { sitePage, trail } from './site-page.ts';
import type { SiteData, SiteFiles, SiteFinding } from './types.ts';

const shownRuns = 30;

function findingRow({ life, text }: SiteFinding, files: SiteFiles): Markup {
  const there = life.series.filter(({ state }) => state === 'there').map(({ series }) => series);
  return html`<tr><td>${stateBadge(life.state)}</td><td><a href="${files.finding.get(life.id)}">${titleOf(text)}</a><br><code class="id">${life.id}</code></td><td>${there.length === 0 ? '–' : there.join(', ')}</td><td class="when">${formatInstant(life.firstSeen.run.started)}<small>${life.firstSeen.kernel}</small></td><td class="when">${formatInstant(life.lastSeen.run.started)}<small>${life.lastSeen.kernel}</small></td></tr>
`;
}

/** Findings that still show come before those that are gone. */
function findingRank({ life }: SiteFinding): string {
  return `${life.state === 'there' ? 0 : 1}${life.id}`;
}

function findingTable(findings: readonly SiteFinding[], files: SiteFiles): Markup {
  const sorted = [...findings].sort((left, right) =>
    findingRank(left) < findingRank(right) ? -1 : 1,
  );
  return html`<div class="scroll"><table class="findings"><thead><tr><th scope="col">state</th><th scope="col">finding</th><th scope="col">there in</th><th scope="col">first seen</th><th scope="col">last seen</th></tr></thead><tbody>
${sorted.map((finding) => findingRow(finding, files))}</tbody></table></div>`;
}

/** A known issue in one line: where it shows, and in how many of the latest cases. */
function issueMarkup(
  id: string,
  findings: readonly SiteFinding[],
  { knownIssues }: SiteData,
  files: SiteFiles,
): Markup {
  const text = knownIssues.find((issue) => issue.id === id);
  const kernels = findings.flatMap(({ life }) => life.series.flatMap((series) => series.kernels));
  const showing = kernels.filter(({ shown }) => shown.length > 0);
  const reach = [
    countText(new Set(showing.map(({ kernel }) => kernel)).size, 'kernel'),
    countText(new Set(showing.flatMap(({ shown }) => shown)).size, 'case'),
    countText(findings.length, 'finding'),
  ];
  const there = findings.some(({ life }) => life.state === 'there');
  return html`<details class="issue"><summary>${stateBadge(there ? 'there' : 'gone')} <b>${text?.title ?? id}</b> <span class="meta">${id} · ${reach.join(', ')}</span></summary>
<div class="body">${findingTable(findings, files)}</div></details>
`;
}

/**
 * The findings by known issue; undocumented ones come first and are separate. A finding that two
 * issues explain is listed under both.
 */
function findingsTable(data: SiteData, files: SiteFiles): Markup {
  const { findings } = data;
  if (findings.length === 0)
    return html`<section id="findings"><h2>Findings</h2><p>None was ever seen.</p></section>`;
  const fresh = findings.filter(({ life }) => life.known.length === 0);
  const ids = [...new Set(findings.flatMap(({ life }) => life.known))].sort();
  const issues = ids.map((id) =>
    issueMarkup(
      id,
      findings.filter(({ life }) => life.known.includes(id)),
      data,
      files,
    ),
  );
  return html`<section id="findings"><h2>Findings</h2>
${fresh.length === 0 ? undefined : html`<h3><span class="badge new">not documented</span></h3>${findingTable(fresh, files)}`}
${issues.length === 0 ? undefined : html`<h3>Known issues</h3>${issues}`}</section>`;
}

function cell(looks: readonly Look[] | undefined): Markup {
  const last = looks?.at(-1);
  if (looks === undefined || last === undefined) return html`<td></td>`;
  const verdicts = looks.map(({ verdict }) => verdict);
  const changed = new Set(verdicts).size > 1;
  const what = `${last.case}: ${last.verdict}, ${countText(looks.length, 'look')} until ${formatInstant(last.run.started)}${changed ? `; over time ${verdicts.slice(-12).join(', ')}` : ''}`;
  return html`<td class="v-${last.verdict}${changed ? ' changes' : ''}" title="${what}">${verdictStyles[last.verdict].symbol}</td>`;
}

function kernelRows(
  looks: readonly Look[],
  scenarios: readonly string[],
  files: SiteFiles,
): Markup[] {
  return bySeries(looks).flatMap(([series, group]) =>
    byKernel(group).map((own) => {
      const byScenario = Map.groupBy([...own].sort(byTime), ({ scenario }) => scenario.name);
      return html`<tr><th scope="row"><b><a href="${files.series.get(series)}">${kernelName(last(own).kernel)}</a></b><small>${series}</small></th>${scenarios.map((name) => cell(byScenario.get(name)))}</tr>
`;
    }),
  );
}

function matrix({ looks }: SiteData, files: SiteFiles): Markup {
  const scenarios = [...new Set(looks.map(({ scenario }) => scenario.name))].sort();
  const heads = scenarios.map(
    (name) => html`<th scope="col" class="scenario-head"><span>${name}</span></th>`,
  );
  return html`<section id="matrix"><h2>Last verdicts</h2>
<div class="scroll matrix" tabindex="0" role="region" aria-label="Last verdicts of kernels by scenarios"><table>
<thead><tr><th scope="col" class="corner">kernel</th>${heads}</tr></thead><tbody>
${kernelRows(looks, scenarios, files)}</tbody></table></div>
<p class="note">A frame marks a case whose verdict was another one before; a kernel leads to its series over time.</p></section>`;
}

function paceFigures(looks: readonly Look[]): Markup {
  const figures = bySeries(looks).flatMap(([series, group]) => {
    const points = paceOfRuns(group).map(({ run, ratio, cases }) => ({
      label: `${formatInstant(run.started)}, ${countText(cases, 'case')}`,
      ratio,
    }));
    if (points.length < 2) return [];
    return [
      html`<figure><figcaption>${series} <small>${countText(points.length, 'run')}</small></figcaption>${ratioChart(points, `${series}: boot time over runs`)}</figure>
`,
    ];
  });
  if (figures.length === 0)
    return html`<section id="pace"><h2>Boot time</h2><p>No case was looked at twice yet.</p></section>`;
  return html`<section id="pace"><h2>Boot time</h2><p class="note">Each point is a run: the median of how long its cases took, each in terms of the usual time of the same case.</p><div class="grid">${figures}</div></section>`;
}

function runsTable(looks: readonly Look[]): Markup {
  const groups = [...Map.groupBy(looks, ({ run }) => run.id).values()].reverse();
  const rows = groups.slice(0, shownRuns).map((group) => {
    const { run } = first(group);
    return html`<tr><td class="when">${formatInstant(run.started)}</td><td>${countText(group.length, 'case')}</td><td>${describeCounts(countVerdicts(group))}</td><td><code>${run.ptdiff}</code></td><td>${run.emulator.version}</td><td><code>${run.id}</code></td></tr>
`;
  });
  const more =
    groups.length > shownRuns
      ? html`<p class="note">${countText(groups.length - shownRuns, 'older run')} not shown.</p>`
      : undefined;
  return html`<section id="runs"><h2>Runs</h2><div class="scroll"><table><thead><tr><th scope="col">started, UTC</th><th scope="col">cases</th><th scope="col">verdicts</th><th scope="col">ptdiff</th><th scope="col">emulator</th><th scope="col">run</th></tr></thead><tbody>
${rows}</tbody></table></div>${more}</section>`;
}

function headline({ findings, looks }: SiteData): string {
  const there = findings.filter(({ life }) => life.state === 'there');
  const fresh = there.filter(({ life }) => life.known.length === 0).length;
  const issues = new Set(there.flatMap(({ life }) => life.known)).size;
  const runs = new Set(looks.map(({ run }) => run.id)).size;
  return `${countText(fresh, 'new finding')}, ${countText(issues, 'known issue')} (${countText(there.length - fresh, 'finding')}) there; ${findings.length - there.length} gone, in ${countText(runs, 'run')}.`;
}

/** The first page: findings, the last verdict of every case, boot times, runs. */
export function indexPage(data: SiteData, files: SiteFiles): string {
  const body = html`<header>${trail()}<h1>${headline(data)}</h1>
<nav aria-label="Sections"><a href="#findings">Findings</a> <a href="#matrix">Last verdicts</a> <a href="#pace">Boot time</a> <a href="#runs">Runs</a></nav></header>
${findingsTable(data, files)}
${matrix(data, files)}
${paceFigures(data.looks)}
${runsTable(data.looks)}`;
  return sitePage('history', body);
}
