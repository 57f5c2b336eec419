// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../../diff/text.ts';
import { describeAwaited } from '../awaited.ts';
import { describeBudget } from '../budget.ts';
import { countFindings, describeFindings, foldByIssue } from '../fold-findings.ts';
import { notWitnessed } from '../limits.ts';
import type { Report } from '../types.ts';
import { describeUnfit } from '../unfit.ts';
import { formatSeconds, shortHash } from '../units.ts';
import { countVerdicts, verdictOrder } from '../verdicts.ts';
import { html, type Markup } from './markup.ts';
import { verdictBadge } from './verdict-badge.ts';

function headline(report: Report): string {
  const folded = foldByIssue(report.cases);
  const { fresh, issues } = countFindings(folded);
  if (report.cases.length === 0) return 'No case has ended yet.';
  const unfinished = report.cases.filter(({ verdict }) => verdict !== 'pass').length;
  if (fresh + issues === 0 && unfinished > 0)
    return `No finding, but ${countText(unfinished, 'case')} did not complete.`;
  if (fresh + issues === 0)
    return `Nothing found: evidence and prediction agree in ${countText(report.cases.length, 'case')}.`;
  return `${describeFindings(folded)} in ${countText(report.cases.length, 'case')}.`;
}

function facts(entries: readonly [string, Markup | string][]): Markup {
  return html`<dl>${entries.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The result of the run, and what produced it: the first thing on the page. */
export function headerSection(report: Report): Markup {
  const { run, cases } = report;
  const counts = countVerdicts(cases);
  const badges = verdictOrder
    .filter((verdict) => counts[verdict] > 0)
    .map((verdict) => html`${verdictBadge(verdict, counts[verdict])} `);
  const missing = run.planned.length - cases.length;
  const seconds =
    run.ended === undefined ? undefined : (Date.parse(run.ended) - Date.parse(run.started)) / 1000;
  const took =
    seconds === undefined ? 'not ended: still running, or cut short' : formatSeconds(seconds);
  return html`<header><p class="eyebrow">ptdiff · linear map of arm64 kernels, predicted and measured</p>
<h1>${headline(report)}</h1><p class="badges">${badges}${missing > 0 ? html`<span class="badge none">${missing} not run</span>` : undefined}</p>
${facts([
  ['Started', `${run.started.replace('T', ' ').replace(/\.\d+Z$|Z$/, ' UTC')}`],
  ['Took', took],
  ['Command', html`<code>${run.command.join(' ')}</code>`],
  ['Emulator', run.emulator.version],
  ['Host', `${run.host.cpu}, ${countText(run.host.cores, 'core')}, ${run.host.os}`],
])}
<nav aria-label="Sections"><a href="#findings">Findings</a> <a href="#matrix">Matrix</a> <a href="#cases">Cases</a> <a href="#limits">Not witnessed</a> <a href="#identities">Identities</a></nav></header>`;
}

/** What a verdict of this run does not cover. */
export function limitsSection(report: Report): Markup {
  const { leftOut, unavailable, unfit } = report.run;
  const unable = describeUnfit(unfit, { full: true }).map((sentence) => html`<li>${sentence}</li>`);
  const items = notWitnessed(report.cases).map(
    ({ what, why }) => html`<li><b>${what}.</b> ${why}</li>`,
  );
  const gone = unavailable.map(({ spec, reason }) => html`<li><b>${spec}.</b> ${reason}</li>`);
  const byScenario = [...Map.groupBy(leftOut, ({ scenario }) => scenario)];
  const thinned = byScenario.map(
    ([scenario, cases]) =>
      html`<li><code>${scenario}</code> on ${cases.map(({ kernel }) => kernel).join(', ')}</li>`,
  );
  return html`<section id="limits"><h2>What this run could not witness</h2><ul class="prose">${items}</ul>
${[...describeBudget(report, { full: true }), ...describeAwaited(report.run)].map((sentence) => html`<h3>Not run</h3><p class="prose">${sentence}</p>`)}
${gone.length > 0 ? html`<h3>Kernels that could not be had</h3><ul class="prose">${gone}</ul>` : undefined}
${unable.length > 0 ? html`<h3>Scenarios that a kernel cannot run</h3><ul class="prose">${unable}</ul>` : undefined}
${thinned.length > 0 ? html`<details class="inner"><summary>Left out by pairwise thinning: ${countText(leftOut.length, 'case')}</summary><ul>${thinned}</ul></details>` : undefined}</section>`;
}

/**
 * Versions and hashes of everything that was used: what another machine needs to repeat the run.
 */
export function identitiesSection(report: Report): Markup {
  const { run } = report;
  const kernels = run.kernels.map(
    ({ release, version, flavour, spec, sha256 }) =>
      html`<tr><th scope="row">${release}</th><td>${version}</td><td>${flavour}</td><td><code>${spec}</code></td><td><code title="${sha256}">${shortHash(sha256)}</code></td></tr>`,
  );
  const notes =
    run.emulator.notes.length > 0
      ? html`<ul class="prose">${run.emulator.notes.map((note) => html`<li>${note}</li>`)}</ul>`
      : undefined;
  return html`<section id="identities"><h2>Identities</h2>
${facts([
  [
    'ptdiff',
    `${run.ptdiff.version}${run.ptdiff.commit === undefined ? '' : `, commit ${run.ptdiff.commit}`}`,
  ],
  ['Model generations', run.generations.join(', ')],
  [
    'Emulator',
    html`${run.emulator.version} <code title="${run.emulator.sha256}">${shortHash(run.emulator.sha256)}</code> ${run.emulator.origin}`,
  ],
  [
    'Guest initramfs',
    html`<code title="${run.initramfs.sha256}">${shortHash(run.initramfs.sha256)}</code>`,
  ],
  [
    'Host',
    `${run.host.cpu}, ${countText(run.host.cores, 'core')}, Linux ${run.host.kernel}, ${run.host.os}`,
  ],
  ['Jobs', String(run.asked.jobs)],
])}${notes}
<div class="scroll"><table><caption>Kernels</caption><thead><tr><th scope="col">release</th><th scope="col">version</th><th scope="col">flavour</th><th scope="col">spec</th><th scope="col">Image sha256</th></tr></thead><tbody>${kernels}</tbody></table></div>
<p class="note">Hashes are cut to 12 digits; <code>run.json</code> has them whole.</p></section>`;
}
