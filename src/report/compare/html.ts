// SPDX-License-Identifier: GPL-2.0-only
import { foldPairs } from '../../compare/fold.ts';
import type { Composition, DifferenceGroup, PairComparison } from '../../compare/types.ts';
import { countText } from '../../diff/text.ts';
import { type BandStore, createBandStore } from '../html/bands.ts';
import { legend } from '../html/legend.ts';
import { mapFigure } from '../html/map-figure.ts';
import { html, type Markup } from '../html/markup.ts';
import { pageOf } from '../html/page.ts';
import { compositionKinds } from '../leaf-kinds.ts';
import { formatMebibytes, shortHash } from '../units.ts';
import { pairDrawings } from './drawing.ts';
import { reasonOf, statements, tellingComposition } from './lines.ts';
import { extent, verdictLine } from './summary.ts';
import type { ComparisonReport, SideIdentity } from './types.ts';

function sideMarkup(letter: string, side: SideIdentity): Markup {
  const kernels = side.kernels.map(
    ({ release, sha256 }) =>
      html`<br>${release}, Image <code title="${sha256}">${shortHash(sha256)}</code>`,
  );
  return html`<div><dt>${letter}</dt><dd><code>${side.asked}</code>${kernels}</dd></div>`;
}

/** Bytes by kind at every checkpoint of a pair, A above B. */
function compositionTable({ compositions, differences }: PairComparison): Markup | undefined {
  if (compositions.length === 0) return undefined;
  const heads = [...compositionKinds, 'tables'].map(
    (kind) =>
      html`<th scope="col" class="num"><span class="key ${kind}" aria-hidden="true"></span>${kind}</th>`,
  );
  // Amounts also differ where memory only moved; only what different rules map is marked.
  const changed = (checkpoint: Composition['checkpoint']) =>
    differences.some(
      ({ aspect, checkpoints }) => aspect === 'layout' && checkpoints.includes(checkpoint),
    );
  const rows = compositions.flatMap(({ checkpoint, a, b }) =>
    (
      [
        ['A', a, a],
        ['B', b, a],
      ] as const
    ).map(([letter, side, other]) => {
      const cell = (differs: boolean, text: string) =>
        differs && changed(checkpoint)
          ? html`<td class="num differs">≠ ${text}</td>`
          : html`<td class="num">${text}</td>`;
      const cells = compositionKinds.map((kind) =>
        cell(side[kind] !== other[kind], side[kind] === 0 ? '–' : formatMebibytes(side[kind])),
      );
      return html`<tr><th scope="row">${checkpoint}</th><td>${letter}</td>${cells}${cell(side.tables !== other.tables, String(side.tables))}</tr>`;
    }),
  );
  return html`<div class="scroll"><table class="sizes"><caption>Linear map in MiB by leaf kind, and its tables</caption>
<thead><tr><th scope="col">checkpoint</th><th scope="col">side</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** The maps of a pair: the checkpoint that shows the difference is open, the others are folded. */
function figures(
  pair: PairComparison,
  open: string | undefined,
  report: ComparisonReport,
  store: BandStore,
): Markup {
  const dossiers = report.drawings.get(pair.name);
  if (!dossiers) return html`<p class="note">Not drawn, to keep this page small.</p>`;
  const drawings = pairDrawings(dossiers);
  const shown = open ?? drawings.at(-1)?.checkpoint;
  return html`${drawings.map((drawing) => {
    const figure = mapFigure(drawing, store, 'full', { upper: 'A', lower: 'B' });
    return html`<details class="inner"${drawing.checkpoint === shown ? html` open` : undefined}><summary>Linear maps at ${drawing.checkpoint}</summary>${figure}</details>`;
  })}`;
}

/** Steps of a derivation that are not folded away. */
const shownSteps = 6;

function reasonMarkup(group: DifferenceGroup): Markup {
  const { sentence, steps } = reasonOf(group);
  const items = steps.map(
    ({ side, step }) =>
      html`<li><b>${side === 'both' ? 'A, B' : side}</b> <code>${step.where}</code> ${step.outcome} <small>${step.source}</small></li>`,
  );
  const stepList = (those: readonly Markup[]) =>
    those.length > 0 ? html`<ul class="steps">${those}</ul>` : undefined;
  const rest = items.slice(shownSteps);
  const more =
    rest.length > 0
      ? html`<details class="inner"><summary>${countText(rest.length, 'more step')}</summary>${stepList(rest)}</details>`
      : undefined;
  return html`<p class="label">Why</p><p>${sentence}</p>${stepList(items.slice(0, shownSteps))}${more}`;
}

function groupMarkup(
  group: DifferenceGroup,
  index: number,
  report: ComparisonReport,
  store: BandStore,
): Markup {
  const { names, example } = group;
  const total = report.pairs.length;
  const reach =
    names.length === total
      ? `all ${countText(total, 'scenario')}`
      : `${names.length} of ${countText(total, 'scenario')}`;
  const items = statements(group).map(
    ({ what, change, id }) =>
      html`<li><b>${what}</b>: ${change}${id && html` <code class="id">${id}</code>`}</li>`,
  );
  return html`<section id="d${index + 1}"><h2>${index + 1}. In ${reach}</h2>
<p class="meta">${names.join(', ')}</p><ul class="prose">${items}</ul>
${reasonMarkup(group)}<p class="label">Numbers and maps of ${example.name}</p>
${compositionTable(example)}${figures(example, tellingComposition(group)?.checkpoint, report, store)}</section>
`;
}

function list(title: string, items: readonly Markup[]): Markup | undefined {
  return items.length === 0
    ? undefined
    : html`<h3>${title}</h3><ul class="prose">${items.map((item) => html`<li>${item}</li>`)}</ul>`;
}

function unchangedSection(report: ComparisonReport, store: BandStore): Markup {
  const same = report.pairs.filter(({ differences }) => differences.length === 0);
  const moved = Map.groupBy(
    report.pairs.flatMap(({ name, moved: clauses }) => clauses.map((clause) => ({ name, clause }))),
    ({ clause }) => clause,
  );
  const [first] = same.length === report.pairs.length ? same : [];
  return html`<section id="unchanged"><h2>No change: ${countText(same.length, 'scenario')}</h2>
<p>${same.map(({ name }) => name).join(', ')}</p>
${first && html`<p class="label">Numbers and maps of ${first.name}</p>${compositionTable(first)}${figures(first, undefined, report, store)}`}
${list(
  'Moved or resized, mapped by the same rules',
  [...moved].map(([clause, those]) => html`${clause}: ${countText(those.length, 'scenario')}`),
)}
${list(
  'Refused, since the scenarios differ',
  report.refused.map(({ name, reasons }) => html`<code>${name}</code>: ${reasons.join('; ')}`),
)}
${list(
  'Not compared',
  [...Map.groupBy(report.uncompared, ({ reason }) => reason)].map(
    ([reason, those]) => html`${reason}: ${those.map(({ name }) => name).join(', ')}`,
  ),
)}
${list(
  'Not alike besides the kernels',
  report.unlike.map((sentence) => html`${sentence}`),
)}</section>`;
}

/**
 * The comparison as one self-contained page in the style of a run's report: every difference once,
 * with both linear maps drawn to scale, A above B.
 */
export function formatComparisonHtml(report: ComparisonReport): string {
  const store = createBandStore();
  const groups = foldPairs(report.pairs);
  const sections = groups.map((group, index) => groupMarkup(group, index, report, store));
  const rest = unchangedSection(report, store);
  const verdict = verdictLine(report);
  const { a, b } = report.sides;
  return pageOf(
    `ptdiff compare: ${verdict}`,
    store,
    html`<header><p class="eyebrow">ptdiff compare</p><h1>${verdict}</h1>
<dl>${sideMarkup('A', a)}${sideMarkup('B', b)}<div><dt>Compared</dt><dd>${extent(report)}</dd></div>
<div><dt>Emulator</dt><dd>${b.emulator.version}</dd></div><div><dt>ptdiff</dt><dd>${b.model}</dd></div></dl></header>
${groups.length > 0 ? legend : undefined}${sections}${rest}`,
  );
}
