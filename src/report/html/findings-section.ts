// SPDX-License-Identifier: GPL-2.0-only
import type { KnownIssue } from '../../diff/match-known.ts';
import { countText } from '../../diff/text.ts';
import type { FindingKind } from '../../diff/types.ts';
import { first } from '../../present.ts';
import { kernelLabel } from '../../scenario/names.ts';
import { caseCommand, repeatCommand } from '../commands.ts';
import {
  describeReach,
  type FoldedFinding,
  type FoldedIssue,
  foldByIssue,
  titleOf,
} from '../fold-findings.ts';
import type { Report } from '../types.ts';
import type { Anchors } from './case-section.ts';
import { html, type Markup } from './markup.ts';

/** The meaning of each kind of finding. */
export const kindMeaning: Record<FindingKind, string> = {
  mismatch:
    'Mismatch: the evidence differs from what the reference model predicts for this kernel.',
  invariant: 'Invariant violation: the evidence is wrong under any logic that a kernel may follow.',
  update:
    'Update violation: a table was changed in a way that the architecture forbids to these CPUs.',
  splat: 'Splat: the kernel complained by itself.',
};

function reference(text: string): Markup {
  return /^https:\/\/[^\s]+$/.test(text)
    ? html`<li><a href="${text}">${text}</a></li>`
    : html`<li>${text}</li>`;
}

/** The text of a known issue, or its id where this ptdiff does not have the text. */
export function knownIssueBox(issue: KnownIssue | undefined, id: string): Markup {
  if (issue === undefined)
    return html`<p class="known-issue">Matches known issue <code>${id}</code>.</p>`;
  const references =
    issue.references.length > 0 ? html`<ul>${issue.references.map(reference)}</ul>` : undefined;
  return html`<div class="known-issue"><p>Known issue <code>${issue.id}</code>: <b>${issue.title}</b></p><p>${issue.cause}</p><p class="pre">${issue.explanation}</p>${references}</div>`;
}

function caseLinks(folded: FoldedFinding, anchors: Anchors): Markup {
  const byKernel = Map.groupBy(folded.cases, (result) =>
    kernelLabel(result, result.kernel.release || result.kernel.spec),
  );
  const lines = [...byKernel].map(([kernel, cases]) => {
    const links = cases.map(
      (result) => html` <a href="#${anchors.case(result.case)}">${result.scenario}</a>`,
    );
    return html`<li><b>${kernel}</b>${links}</li>`;
  });
  return html`<ul class="where">${lines}</ul>`;
}

function findingMarkup(folded: FoldedFinding, report: Report, anchors: Anchors): Markup {
  const { finding, cases } = folded;
  const fresh = finding.known === undefined;
  const example = first(cases);
  const again = repeatCommand(report, example);
  const commands = [
    html`<p class="label">See it</p><pre class="command">${caseCommand('show', example.case, report.folder)}</pre>`,
    again === undefined
      ? undefined
      : html`<p class="label">Boot it again</p><pre class="command">${again}</pre>`,
  ];
  const badge = fresh ? html`<span class="badge new">new</span> ` : undefined;
  return html`<details class="finding"${fresh ? html` open` : undefined}><summary>${badge}<b>${titleOf(finding)}</b> <span class="meta">${describeReach(folded)}</span></summary>
<div class="body" id="${anchors.finding(finding.id, finding.known)}"><p>${kindMeaning[finding.kind]} <code class="id">${finding.id}</code></p>
<p class="label">Evidence, from ${example.case}</p><pre>${finding.detail}</pre>
${commands}
<p class="label">Where: ${countText(cases.length, 'case')}</p>${caseLinks(folded, anchors)}</div></details>
`;
}

/**
 * A known issue, folded: one line, with its description and every finding that it explains inside.
 */
function issueMarkup(issue: FoldedIssue, report: Report, anchors: Anchors): Markup {
  const text = report.knownIssues.find(({ id }) => id === issue.id);
  const { kernels, cases, findings } = issue;
  const reach = [
    countText(kernels.length, 'kernel'),
    countText(cases.length, 'case'),
    countText(findings.length, 'finding'),
  ];
  return html`<details class="issue"><summary><span class="badge v-known">known</span> <b>${text?.title ?? issue.id}</b> <span class="meta">${issue.id} · ${reach.join(', ')}</span></summary>
<div class="body">${knownIssueBox(text, issue.id)}<p class="meta">${kernels.join(', ')}</p>
${findings.map((folded) => findingMarkup(folded, report, anchors))}</div></details>
`;
}

/**
 * All findings, each once however many cases show it: new ones first and separate, the others under
 * the known issues that explain them.
 */
export function findingsSection(report: Report, anchors: Anchors): Markup {
  const { fresh, issues } = foldByIssue(report.cases);
  const none = html`<p>No finding: in every case that passed, the evidence equals the prediction.</p>`;
  const list = [
    ...fresh.map((folded) => findingMarkup(folded, report, anchors)),
    issues.length === 0 ? undefined : html`<h3>Known issues</h3>`,
    ...issues.map((issue) => issueMarkup(issue, report, anchors)),
  ];
  return html`<section id="findings"><h2>Findings</h2>${fresh.length + issues.length === 0 ? none : list}</section>`;
}
