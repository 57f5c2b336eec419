import type { KnownIssue } from '../../diff/match-known.ts';
import { countText } from '../../diff/text.ts';
import type { FindingKind } from '../../diff/types.ts';
import { kernelLabel } from '../../scenario/names.ts';
import { describeReach, type FoldedFinding, foldFindings } from '../fold-findings.ts';
import type { Report } from '../types.ts';
import type { Anchors } from './case-section.ts';
import { html, type Markup } from './markup.ts';

/** What a kind of finding says. */
export const kindMeaning: Record<FindingKind, string> = {
  mismatch: 'Mismatch: the evidence differs from what the reference model predicts for this kernel.',
  invariant: 'Invariant violation: the evidence is wrong under any logic that a kernel may follow.',
  splat: 'Splat: the kernel complained by itself.',
};

function reference(text: string): Markup {
  return /^https:\/\/[^\s]+$/.test(text) ? html`<li><a href="${text}">${text}</a></li>` : html`<li>${text}</li>`;
}

/** The text of a known issue, or its id where this ptdiff has no such text. */
export function knownIssueBox(issue: KnownIssue | undefined, id: string): Markup {
  if (issue === undefined) return html`<p class="known-issue">Matches known issue <code>${id}</code>.</p>`;
  const references = issue.references.length > 0 ? html`<ul>${issue.references.map(reference)}</ul>` : undefined;
  return html`<div class="known-issue"><p>Known issue <code>${issue.id}</code>: <b>${issue.title}</b></p><p>${issue.cause}</p><p class="pre">${issue.explanation}</p>${references}</div>`;
}

function caseLinks(folded: FoldedFinding, anchors: Anchors): Markup {
  const byKernel = Map.groupBy(folded.cases, (result) =>
    kernelLabel(result, result.kernel.release || result.kernel.spec),
  );
  const lines = [...byKernel].map(([kernel, cases]) => {
    const links = cases.map((result) => html` <a href="#${anchors.case(result.case)}">${result.scenario}</a>`);
    return html`<li><b>${kernel}</b>${links}</li>`;
  });
  return html`<ul class="where">${lines}</ul>`;
}

function findingMarkup(folded: FoldedFinding, report: Report, anchors: Anchors): Markup {
  const { finding, cases } = folded;
  const repro = report.dossiers.get(cases[0].case)?.repro;
  const issue = report.knownIssues.find(({ id }) => id === finding.known);
  const status =
    finding.known === undefined
      ? html`<span class="badge new">new</span>`
      : html`<span class="badge v-known">known</span>`;
  const where = finding.checkpoint === undefined ? '' : ` Seen at ${finding.checkpoint}.`;
  return html`<details class="finding"${finding.known === undefined ? html` open` : undefined}><summary>${status} <b>${finding.title}</b> <span class="meta">${describeReach(folded)}</span></summary>
<div class="body" id="${anchors.finding(finding.id, finding.known)}"><p>${kindMeaning[finding.kind]}${where} <code class="id">${finding.id}</code></p>
${finding.known === undefined ? undefined : knownIssueBox(issue, finding.known)}
<p class="label">Evidence, from ${cases[0].case}</p><pre>${finding.detail}</pre>
${repro === undefined ? undefined : html`<p class="label">See it again</p><pre class="command">${repro}</pre>`}
<p class="label">Where: ${countText(cases.length, 'case')}</p>${caseLinks(folded, anchors)}</div></details>
`;
}

/** All findings, each once, however many cases show it: new ones first. */
export function findingsSection(report: Report, anchors: Anchors): Markup {
  const folds = foldFindings(report.cases);
  const list = folds.map((folded) => findingMarkup(folded, report, anchors));
  const none = html`<p>No finding: in every case that passed, the evidence equals the prediction.</p>`;
  return html`<section id="findings"><h2>Findings</h2>${folds.length === 0 ? none : list}</section>`;
}
