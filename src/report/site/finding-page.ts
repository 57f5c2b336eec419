// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../../diff/match-known.ts';
import { countText } from '../../diff/text.ts';
import type { KernelLife, LifePoint, SeriesLife } from '../../history/finding-life.ts';
import { titleOf } from '../fold-findings.ts';
import { kindMeaning, knownIssueBox } from '../html/findings-section.ts';
import { html, type Markup } from '../html/markup.ts';
import { causes, formatInstant } from '../terminal-history.ts';
import { sitePage, trail } from './site-page.ts';
import type { SiteFiles, SiteFinding } from './types.ts';

function point({ run, case: name }: LifePoint): Markup {
  return html`${formatInstant(run.started)} UTC <small>${name}, run ${run.id}</small>`;
}

/** 'there' or 'gone' on its colour. */
export function stateBadge(state: 'there' | 'gone'): Markup {
  return html`<span class="badge ${state}">${state}</span>`;
}

function kernelRow({ kernel, state, shown, looked, firstLook, lastLook }: KernelLife): Markup {
  const word = { shown: 'shown', absent: 'absent', unknown: 'no look could tell' }[state];
  const look = { shown: 'v-fail', absent: 'v-pass', unknown: 'v-error' }[state];
  const reach = looked === 0 ? '–' : `${shown.length} of ${countText(looked, 'case')}`;
  return html`<tr><th scope="row">${kernel}</th><td><span class="badge ${look}">${word}</span></td><td>${reach}</td><td>${formatInstant(firstLook.run.started)}</td><td>${formatInstant(lastLook.run.started)}</td></tr>
`;
}

function seriesBlock(life: SeriesLife, files: SiteFiles): Markup {
  const since =
    life.goneSince === undefined
      ? undefined
      : html` <small>since ${life.goneSince.kernel}, ${formatInstant(life.goneSince.run.started)} (run ${life.goneSince.run.id})</small>`;
  const shown = [...new Set(life.kernels.flatMap((kernel) => kernel.shown))];
  const cases =
    shown.length === 0
      ? undefined
      : html`<details class="inner"><summary>${countText(shown.length, 'case')} showing it at the last look</summary><ul>${shown.map((name) => html`<li><code>${name}</code></li>`)}</ul></details>`;
  return html`<h3><a href="${files.series.get(life.series)}">${life.series}</a> ${stateBadge(life.state)}${since}</h3>
<div class="scroll"><table><thead><tr><th scope="col">kernel</th><th scope="col">last look</th><th scope="col">reach</th><th scope="col">first looked at</th><th scope="col">last looked at</th></tr></thead><tbody>
${life.kernels.map(kernelRow)}</tbody></table></div>${cases}`;
}

/** A page for one finding: its history, its evidence, and the known issue that it matches. */
export function findingPage(
  { life, text }: SiteFinding,
  issues: readonly KnownIssue[],
  files: SiteFiles,
): string {
  const known = life.known.map((id) =>
    knownIssueBox(
      issues.find((issue) => issue.id === id),
      id,
    ),
  );
  const never = life.never.map(
    ({ series, kernels, looks }) =>
      html`<li>${series}: ${countText(kernels, 'kernel')}, ${countText(looks, 'look')}</li>`,
  );
  const wavering = life.wavering.map(
    ({ after, before, shown, because }) =>
      html`<li><code>${after.case}</code>: ${shown ? 'not shown, then shown' : 'shown, then not shown'} (${formatInstant(before.run.started)} and ${formatInstant(after.run.started)}); ${causes[because]}</li>`,
  );
  const body = html`<header>${trail('finding')}
<h1>${titleOf(text)}</h1><p>${stateBadge(life.state)} <code>${life.id}</code></p><p class="note">${kindMeaning[text.kind]}</p>
<dl><div><dt>First seen</dt><dd>${point(life.firstSeen)}</dd></div><div><dt>Last seen</dt><dd>${point(life.lastSeen)}</dd></div></dl></header>
${known}
<section id="life"><h2>Life</h2>${life.series.map((series) => seriesBlock(series, files))}
${never.length === 0 ? undefined : html`<h3>Looked at there, and never shown</h3><ul class="prose">${never}</ul>`}
${wavering.length === 0 ? undefined : html`<h3>Answered in two ways by one kernel</h3><ul class="prose">${wavering}</ul>`}</section>
<section id="evidence"><h2>Evidence</h2><p class="label">At the last sighting, ${text.case}</p><pre>${text.detail}</pre></section>`;
  return sitePage(titleOf(text), body);
}
