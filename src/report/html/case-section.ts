// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../../diff/text.ts';
import type { CaseResult } from '../../diff/types.ts';
import type { DerivationStep } from '../../model/types.ts';
import { depthOf } from '../../scenario/depth.ts';
import { capturedEntries, decisionEntries } from '../decision-entries.ts';
import { earlyEndWords, notLookedAtLines } from '../early.ts';
import { titleOf } from '../fold-findings.ts';
import type { CaseDossier, CaseDrawing } from '../types.ts';
import { formatSeconds } from '../units.ts';
import { verdictStyles } from '../verdicts.ts';
import type { BandStore } from './bands.ts';
import { changesFigure } from './changes-figure.ts';
import { compositionTable } from './composition.ts';
import { type DrawingDepth, mapFigure } from './map-figure.ts';
import { html, type Markup } from './markup.ts';
import { updatesTable } from './updates-table.ts';
import { verdictBadge } from './verdict-badge.ts';

/** Ids of the page's anchors. */
export interface Anchors {
  case(name: string): string;
  finding(id: string, known: string | undefined): string;
}

function rows(entries: readonly (readonly [string, string | number])[]): Markup {
  return html`${entries.map(([name, value]) => html`<tr><th scope="row"><code>${name}</code></th><td>${value}</td></tr>`)}`;
}

function decisionsTable(result: CaseResult, dossier: CaseDossier): Markup | undefined {
  const predicted = decisionEntries(dossier);
  const captured = capturedEntries(result);
  const probes = (dossier.probes ?? []).map(({ probe, call, errno }) => {
    const expected = dossier.predictedProbes?.find((prediction) => prediction.probe === probe);
    const found = errno === 0 ? 'works' : `${call} fails with errno ${errno}`;
    const wanted =
      expected === undefined
        ? ''
        : `, predicted ${expected.errno === 0 ? 'works' : `errno ${expected.errno}`}`;
    return [probe, `${found}${wanted}`] as const;
  });
  const table = (caption: string, entries: readonly (readonly [string, string])[]) =>
    entries.length === 0
      ? undefined
      : html`<table><caption>${caption}</caption><tbody>${rows(entries)}</tbody></table>`;
  if (predicted.length + captured.length + probes.length === 0) return undefined;
  return html`<div class="pair">${table('Decisions, predicted', predicted)}${table('Captured from the kernel', captured)}${table('Probes', probes)}</div>`;
}

function derivation(steps: readonly DerivationStep[]): Markup | undefined {
  if (steps.length === 0) return undefined;
  const items = steps.map(
    ({ where, source, outcome }) =>
      html`<li><code>${where}</code> ${outcome} <small>${source}</small></li>`,
  );
  return html`<details class="inner"><summary>Derivation of the prediction, ${countText(steps.length, 'step')}</summary><ol class="steps">${items}</ol></details>`;
}

function checkpoints(
  drawings: readonly CaseDrawing[],
  store: BandStore,
  depth: DrawingDepth | 'none',
): Markup | undefined {
  if (drawings.length === 0) return undefined;
  if (depth === 'none') {
    return html`<p class="note">Not drawn, to keep this page small: <code>ptdiff show</code> has the numbers.</p>`;
  }
  return html`${drawings.map((drawing, index) => {
    const open = index === drawings.length - 1 ? html` open` : undefined;
    return html`<details class="inner"${open}><summary>Linear map at ${drawing.checkpoint}</summary>${mapFigure(drawing, store, depth)}</details>`;
  })}`;
}

/** What a section is made with. */
interface Tools {
  anchors: Anchors;
  store: BandStore;
  depth: DrawingDepth | 'none';
  /** Whether what a recording tells is drawn, which takes half a second of a case. */
  tells: boolean;
}

function changed({ changes, drawings }: CaseDossier, { store, tells }: Tools): Markup | undefined {
  if (changes === undefined || drawings.length === 0) return undefined;
  const told = tells ? changes() : undefined;
  if (typeof told === 'string') return html`<p class="note">${told}</p>`;
  const content = told
    ? changesFigure(told, drawings, store)
    : html`<p class="note">Not drawn, to keep this page small: <code>ptdiff timeline</code> tells it.</p>`;
  return html`<details class="inner"><summary>What changed, when, and who did it</summary>${content}</details>`;
}

function early(result: CaseResult): Markup | undefined {
  return depthOf(result) === 'early' ? html` <span class="meta">early</span>` : undefined;
}

function notLookedAt(dossier: CaseDossier): Markup | undefined {
  const lines = notLookedAtLines(dossier);
  if (lines.length === 0) return undefined;
  const items = lines.map((line) => html`<li>${line}</li>`);
  return html`<details class="inner"><summary>Not looked at: the boot ended early, ${earlyEndWords}</summary><ul>${items}</ul></details>`;
}

function findingLinks(result: CaseResult, anchors: Anchors): Markup | undefined {
  if (result.findings.length === 0) return undefined;
  const items = result.findings.map(
    (finding) =>
      html`<li><a href="#${anchors.finding(finding.id, finding.known)}">${titleOf(finding)}</a></li>`,
  );
  return html`<ul class="links">${items}</ul>`;
}

/** One case, folded: a reader scans its summary line; everything else about it is inside. */
export function caseSection(result: CaseResult, dossier: CaseDossier, tools: Tools): Markup {
  const { kernel } = result;
  const findings =
    result.findings.length > 0
      ? html` <span class="meta">${countText(result.findings.length, 'finding')}</span>`
      : undefined;
  const console_ =
    dossier.consoleTail === undefined || result.verdict === 'pass'
      ? undefined
      : html`<details class="inner"><summary>End of the console</summary><pre>${dossier.consoleTail}</pre></details>`;
  const newer =
    dossier.newerThanKnown === true
      ? ' (newer than every generation known; predicted with the newest)'
      : '';
  return html`<details class="case v-${result.verdict}"><summary>${verdictBadge(result.verdict)} <b>${kernel.release || kernel.spec}</b> <span class="scenario">${result.scenario}</span>${early(result)}${findings}</summary>
<div class="body" id="${tools.anchors.case(result.case)}">
<p class="meta">${result.case} · ${verdictStyles[result.verdict].meaning} · ${formatSeconds(result.seconds)} · model generation ${kernel.generation}${newer} · <a href="cases/${encodeURIComponent(result.case)}/">files of this case</a></p>
${result.reason === undefined ? undefined : html`<p class="reason">${result.reason}</p>`}${result.notes?.map((text) => html`<p class="note">${text}</p>`)}${dossier.unreadable?.map((text) => html`<p class="note">${text}</p>`)}${findingLinks(result, tools.anchors)}${notLookedAt(dossier)}
${dossier.repro === undefined ? undefined : html`<p class="label">Boot it again</p><pre class="command">${dossier.repro}</pre>`}
${compositionTable(result, dossier)}${checkpoints(dossier.drawings, tools.store, tools.depth)}${updatesTable(result.updates)}${changed(dossier, tools)}
${decisionsTable(result, dossier)}${derivation(dossier.derivation ?? [])}${console_}
</div></details>
`;
}
