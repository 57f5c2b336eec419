// SPDX-License-Identifier: GPL-2.0-only
import { isWhole } from '../../diff/boot-end.ts';
import { countText } from '../../diff/text.ts';
import { kernelName } from '../../history/kernel-name.ts';
import { byTime, compareReleases } from '../../history/order-kernels.ts';
import type { Look } from '../../history/types.ts';
import { first } from '../../present.ts';
import { html, type Markup } from '../html/markup.ts';
import { formatInstant } from '../terminal-history.ts';
import { verdictStyles } from '../verdicts.ts';
import { trendChart } from './chart.ts';
import { sitePage, trail } from './site-page.ts';
import type { SiteFiles } from './types.ts';

/** Columns of the matrix over time; a note mentions older ones. */
const shownColumns = 40;
/** Points of one chart. */
const shownPoints = 60;

/** One kernel in one run. */
interface Column {
  when: string;
  kernel: string;
  looks: Map<string, Look>;
}

const keyOf = ({ run, kernel }: Look): string => JSON.stringify([run.id, kernel.sha256]);

/** Columns in order of time; the kernels of one run in order of version. */
function columnsOf(looks: readonly Look[]): Column[] {
  const groups = [...Map.groupBy([...looks].sort(byTime), keyOf).values()];
  groups.sort((own, others) => {
    const [left, right] = [first(own), first(others)];
    return left.run.id === right.run.id
      ? compareReleases(left.kernel.release, right.kernel.release)
      : byTime(left, right);
  });
  return groups.map((group) => ({
    when: formatInstant(first(group).run.started),
    kernel: kernelName(first(group).kernel),
    looks: new Map(group.map((look) => [look.scenario.name, look])),
  }));
}

function findingLinks(looks: readonly Look[], files: SiteFiles): Markup | undefined {
  const ids = [...new Set(looks.flatMap(({ findings }) => findings.map(({ id }) => id)))].sort();
  if (ids.length === 0) return undefined;
  const items = ids.map((id) => html`<li><a href="${files.finding.get(id)}">${id}</a></li>`);
  return html`<section id="findings"><h2>Findings ever seen here</h2><ul class="links">${items}</ul></section>`;
}

/** The verdict of a look; a frame marks one that differs from the look before it. */
function cell(look: Look | undefined, before: Look | undefined): Markup {
  if (look === undefined) return html`<td></td>`;
  const changed = before !== undefined && before.verdict !== look.verdict;
  const what = `${look.case}, ${formatInstant(look.run.started)}: ${look.verdict}${changed ? `, was ${before.verdict}` : ''}${look.findings.length > 0 ? `, ${countText(look.findings.length, 'finding')}` : ''}`;
  return html`<td class="v-${look.verdict}${changed ? ' changes' : ''}" title="${what}">${verdictStyles[look.verdict].symbol}</td>`;
}

function row(scenario: string, columns: readonly Column[], first: number): Markup {
  let before: Look | undefined;
  const cells = columns.map(({ looks }, index) => {
    const look = looks.get(scenario);
    const made = index < first ? undefined : cell(look, before);
    before = look ?? before;
    return made;
  });
  return html`<tr><th scope="row">${scenario}</th>${cells}</tr>
`;
}

function matrixOverTime(columns: readonly Column[], scenarios: readonly string[]): Markup {
  const first = Math.max(0, columns.length - shownColumns);
  const heads = columns
    .slice(first)
    .map(
      ({ when, kernel }) =>
        html`<th scope="col" class="scenario-head"><span>${when} <b>${kernel}</b></span></th>`,
    );
  const older =
    first === 0
      ? undefined
      : html`<p class="note">${countText(first, 'older column')} not shown; <code>ptdiff history SCENARIO</code> tells them.</p>`;
  return html`<section id="matrix"><h2>Verdicts over time</h2>
<div class="scroll matrix" tabindex="0" role="region" aria-label="Verdicts of scenarios over time"><table>
<thead><tr><th scope="col" class="corner">scenario</th>${heads}</tr></thead><tbody>
${scenarios.map((scenario) => row(scenario, columns, first))}</tbody></table></div>
<p class="note">A column is a kernel in a run; a frame marks a verdict that differs from the one before.</p>${older}</section>`;
}

function figure(scenario: string, looks: readonly Look[]): Markup {
  const told = [...looks].sort(byTime).filter(isWhole).slice(-shownPoints);
  const points = told.map(({ run, kernel, linearMap, seconds }) => ({
    label: `${formatInstant(run.started)} ${kernelName(kernel)}`,
    ...(linearMap.init && { linearMap: linearMap.init }),
    seconds,
  }));
  return html`<figure><figcaption>${scenario} <small>${countText(told.length, 'look')}</small></figcaption>${trendChart(points, scenario)}</figure>
`;
}

/**
 * A page for one series of kernels: its verdicts over time, and the trends of linear map and boot
 * time.
 */
export function seriesPage(series: string, looks: readonly Look[], files: SiteFiles): string {
  const columns = columnsOf(looks);
  const byScenario = new Map(
    [...Map.groupBy(looks, ({ scenario }) => scenario.name)].sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const kernels = [...new Set(looks.map(({ kernel }) => kernelName(kernel)))];
  const body = html`<header>${trail('series')}<h1>${series}</h1>
<p class="note">${countText(kernels.length, 'kernel')}, ${countText(byScenario.size, 'scenario')}, ${countText(looks.length, 'look')}.</p>
<nav aria-label="Sections"><a href="#matrix">Verdicts over time</a> <a href="#trends">Trends</a> <a href="#findings">Findings</a></nav></header>
${matrixOverTime(columns, [...byScenario.keys()])}
<section id="trends"><h2>Linear map and boot time</h2>
<p class="note">Stacked bars: what the linear map consists of at init, from pages (bottom) to the largest blocks. Line: wall-clock seconds of the case. Neighbours are consecutive looks.</p>
<div class="grid">${[...byScenario].map(([scenario, group]) => figure(scenario, group))}</div></section>
${findingLinks(looks, files)}`;
  return sitePage(series, body);
}
