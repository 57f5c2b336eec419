// SPDX-License-Identifier: GPL-2.0-only
import { last } from '../../present.ts';
import { stage1Regime } from '../../vmsa/regime.ts';
import { changeKinds, type RecordedChanges, type SlicedDeed } from '../recorded-changes.ts';
import type { CaseDrawing } from '../types.ts';
import { formatCount } from '../units.ts';
import type { Placed } from './axis.ts';
import type { BandStore } from './bands.ts';
import { changedMap, linesAt, mapRegions, placedSpans, plot } from './map-view.ts';
import { html, type Markup } from './markup.ts';
import { measure, type Scale, type Span } from './scale.ts';

/** Marks in a row of the table are at least this wide, since the row is a quarter of the map. */
const leastInRow = 8;

const round = (value: number): number => Math.round(value * 10) / 10;

/** Where spans are in a picture, as a path; the script draws the same (`marksOf` there). */
function marksOf(spans: readonly Span[], regions: readonly Placed[], least: number): string {
  return linesAt(
    6,
    regions.flatMap((region) => placedSpans(spans, region, least)),
  );
}

const sumOf = (deeds: readonly SlicedDeed[], kind: number): number =>
  deeds.reduce((sum, { counts }) => sum + (counts[kind] ?? 0), 0);

/** Stretches of the kernel's half in units of the picture, by a shift. */
const spansOf = ({ where }: SlicedDeed, shift: number): Span[] =>
  where.map(([from, to]) => ({ from: from + shift, to: to + shift }));

function row(
  { by, areas, deeds }: RecordedChanges['rows'][number],
  shift: number,
  regions: readonly Placed[],
): Markup {
  const cells = changeKinds.map((_, kind) => {
    const sum = sumOf(deeds, kind);
    return html`<td class="num">${sum === 0 ? '' : formatCount(sum)}</td>`;
  });
  // Of each slice: its number, the counts, and then its spans.
  const data = deeds
    .map((deed) => {
      const spans = spansOf(deed, shift).map(({ from, to }) => `${from}-${to}`);
      return [deed.slice, ...deed.counts, ...spans].join(' ');
    })
    .join(';');
  const spans = deeds.flatMap((deed) => spansOf(deed, shift));
  const track =
    spans.length === 0
      ? undefined
      : html`<svg class="track" viewBox="${plot.x} 0 ${plot.width} 12" preserveAspectRatio="none" aria-hidden="true"><path class="rail" d="M${plot.x} 6h${plot.width}"/><path class="mark" d="${marksOf(spans, regions, leastInRow)}"/></svg>`;
  return html`<tr data-deeds="${data}"><td class="by"><code>${by}</code><small>${areas.join(', ')}</small></td><td>${track}</td>${cells}</tr>`;
}

/** The ends of the slices: microseconds, and the checkpoint that is there. */
function instantsText({ instants }: RecordedChanges): string {
  return instants.map(({ time, checkpoint = '' }) => `${time} ${checkpoint}`.trim()).join(';');
}

function placesText(regions: readonly Placed[]): string {
  return regions
    .map(({ from, to, x, width }) => [from, to, round(x), round(width)].join(' '))
    .join(';');
}

/**
 * What a recording tells of a case, on the map of its last checkpoint: who changed what between two
 * instants. Without the script it is the whole boot; the script lets a reader choose the instants.
 */
export function changesFigure(
  changes: RecordedChanges,
  drawings: readonly CaseDrawing[],
  store: BandStore,
): Markup {
  const drawing = last(drawings);
  const scale: Scale = measure(drawing);
  const regime = stage1Regime(drawing.registers, 'ttbr1');
  const band = store.leaves(drawing.actual, scale, regime);
  const regions = mapRegions(scale);
  const shift = scale.span({ ...(drawing.actual[0] ?? empty), va: regime.base, size: 0 }).from;
  const spans = changes.rows.flatMap(({ deeds }) => deeds.flatMap((deed) => spansOf(deed, shift)));
  const rows = changes.rows.map((each) => row(each, shift, regions));
  const heads = changeKinds.map((kind) => html`<th scope="col" class="num">${kind}</th>`);
  const more =
    changes.more > 0
      ? html`<p class="note">${formatCount(changes.more)} more that did less are left out; <code>ptdiff timeline --full</code> has them.</p>`
      : undefined;
  return html`<div class="changes" data-instants="${instantsText(changes)}" data-regions="${placesText(regions)}">
<p class="note"><b class="when">The whole boot</b>: entries of page tables that became valid (made) or invalid (broken), that changed while valid, that gave way to a table (split), and TLB invalidations, by the functions that did it, the innermost first.</p>
<figure>${changedMap(band, drawing.checkpoint, scale, marksOf(spans, regions, 2))}</figure>
<div class="scroll"><table><thead><tr><th scope="col">by, and where</th><th scope="col">of the linear map</th>${heads}</tr></thead><tbody>${rows}</tbody></table></div>${more}</div>`;
}

const empty = {
  pa: 0,
  level: 3,
  contiguous: false,
  valid: false,
  attributes: 0n,
  tableAttributes: 0,
} as const;
