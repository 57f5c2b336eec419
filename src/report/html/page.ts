// SPDX-License-Identifier: GPL-2.0-only
import type { CaseResult } from '../../diff/types.ts';
import { first } from '../../present.ts';
import { kernelLabel } from '../../scenario/names.ts';
import type { CaseDossier, Report } from '../types.ts';
import { countVerdicts, describeCounts, verdictOrder } from '../verdicts.ts';
import { type BandStore, createBandStore } from './bands.ts';
import { type Anchors, caseSection } from './case-section.ts';
import { findingsSection } from './findings-section.ts';
import { legend } from './legend.ts';
import type { DrawingDepth } from './map-figure.ts';
import { html, Markup } from './markup.ts';
import { matrixSection } from './matrix-section.ts';
import { headerSection, identitiesSection, limitsSection } from './run-section.ts';
import { script } from './script.ts';
import { style } from './style.ts';

// Characters of cases and drawings after which pictures get simpler, then stop: a page with
// hundreds of cases must still open.
const fullUntil = 4_500_000;
const overviewUntil = 6_800_000;
/** Cases of a page whose recording is drawn. */
const mostTold = 12;

function makeAnchors(report: Report): Anchors {
  const number = (keys: Iterable<string>) =>
    new Map([...new Set(keys)].map((key, index) => [key, index]));
  const findingKey = (id: string, known: string | undefined) => JSON.stringify([id, known ?? null]);
  const cases = number(report.cases.map((result) => result.case));
  const findings = number(
    report.cases.flatMap((result) => result.findings.map(({ id, known }) => findingKey(id, known))),
  );
  return {
    case: (name) => `c${cases.get(name)}`,
    finding: (id, known) => `f${findings.get(findingKey(id, known))}`,
  };
}

function depthFor(size: number): DrawingDepth | 'none' {
  if (size < fullUntil) return 'full';
  return size < overviewUntil ? 'overview' : 'none';
}

/**
 * Every case as a section, in the order of the run; the worst verdicts are drawn first, while there
 * is room.
 */
function renderCases(report: Report, anchors: Anchors, store: BandStore): Map<CaseResult, Markup> {
  const rank = ({ verdict }: CaseResult) => verdictOrder.indexOf(verdict);
  const sections = new Map<CaseResult, Markup>();
  let size = 0;
  let told = 0;
  for (const result of [...report.cases].sort((left, right) => rank(left) - rank(right))) {
    const dossier: CaseDossier = report.dossiers.get(result.case) ?? {
      case: result.case,
      drawings: [],
    };
    const section = caseSection(result, dossier, {
      anchors,
      store,
      depth: depthFor(size + store.size()),
      tells: dossier.changes !== undefined && told++ < mostTold,
    });
    size += section.text.length;
    sections.set(result, section);
  }
  return sections;
}

function casesSection(report: Report, sections: Map<CaseResult, Markup>): Markup {
  const byKernel = Map.groupBy(report.cases, ({ kernel }) => kernel.spec);
  const groups = [...byKernel].map(([spec, cases]) => {
    return html`<h3>${kernelLabel(first(cases), spec)} <small>${describeCounts(countVerdicts(cases))}</small></h3>${cases.map((result) => sections.get(result))}`;
  });
  return html`<section id="cases"><h2>Cases</h2>${legend}${groups}</section>`;
}

/**
 * A complete page around its main part: it loads nothing from elsewhere, and needs no script to be
 * read. `store` holds the bands that `main` refers to.
 */
export function pageOf(title: string, store: BandStore, main: Markup): string {
  return html`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark"><title>${title}</title>
<style>${new Markup(style)}</style></head><body>
${store.definitions()}
<main>${main}</main>
<script>${new Markup(script)}</script></body></html>
`.text;
}

/**
 * The report of a run as one self-contained page: it needs no script to be read (the script only
 * adds free zoom), it loads nothing, and all text from guests is escaped. When a run is too large
 * for one page, pictures are simplified, then left out.
 */
export function formatHtml(report: Report): string {
  const anchors = makeAnchors(report);
  const store = createBandStore();
  const sections = renderCases(report, anchors, store);
  return pageOf(
    `ptdiff: ${describeCounts(countVerdicts(report.cases))}`,
    store,
    html`${headerSection(report)}
${findingsSection(report, anchors)}
${matrixSection(report, anchors)}
${casesSection(report, sections)}
${limitsSection(report)}
${identitiesSection(report)}`,
  );
}
