// SPDX-License-Identifier: GPL-2.0-only
import { leafKind } from '../../linux/leaf-kind.ts';
import { first, last } from '../../present.ts';
import type { Stage1Regime } from '../../vmsa/regime.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { shadeOf } from '../leaf-kinds.ts';
import { html, type Markup } from './markup.ts';
import type { Scale, Span } from './scale.ts';

/** Height of a band in pixels. */
export const bandHeight = 26;

// If a band has more runs than this, they are merged: a picture must not grow without limit.
const mostRuns = 3000;

interface Stroke extends Span {
  /** CSS class: the leaf kind. */
  kind: string;
  /** CSS class of the overlay that shows the permission; 'rw' has none. */
  overlay: string;
}

function strokesOf(runs: readonly LeafRun[], scale: Scale, regime: Stage1Regime): Stroke[] {
  const strokes: Stroke[] = [];
  for (const run of runs) {
    const stroke = {
      ...scale.span(run),
      kind: leafKind(run) as string,
      overlay: shadeOf(run, regime) as string,
    };
    const last = strokes.at(-1);
    if (last?.to === stroke.from && last.kind === stroke.kind && last.overlay === stroke.overlay)
      last.to = stroke.to;
    else strokes.push(stroke);
  }
  return strokes;
}

/** The look that covers most of a group of strokes. */
function majority(strokes: readonly Stroke[]): Stroke {
  const lengths = new Map<string, { stroke: Stroke; length: number }>();
  for (const stroke of strokes) {
    const key = `${stroke.kind} ${stroke.overlay}`;
    const entry = lengths.get(key) ?? { stroke, length: 0 };
    entry.length += stroke.to - stroke.from;
    lengths.set(key, entry);
  }
  return [...lengths.values()].reduce((most, entry) => (entry.length > most.length ? entry : most))
    .stroke;
}

/** Neighbours closer than `grain` units joined into one stroke of a mixed colour. */
function mergeFine(strokes: readonly Stroke[], grain: number): Stroke[] {
  const groups = new Map<number, Stroke[]>();
  for (const stroke of strokes) {
    const cell = Math.floor(stroke.from / grain);
    groups.set(cell, [...(groups.get(cell) ?? []), stroke]);
  }
  return [...groups.values()].flatMap((group) => {
    if (group.length < 2) return group;
    return [{ ...majority(group), from: first(group).from, to: last(group).to, overlay: 'mixed' }];
  });
}

function bounded(strokes: Stroke[]): { strokes: Stroke[]; merged: boolean } {
  let fine = strokes;
  for (let grain = 16; fine.length > mostRuns; grain *= 2) fine = mergeFine(strokes, grain);
  return { strokes: fine, merged: fine.length < strokes.length };
}

/**
 * Rows of a band that a look paints, in pixels from its top; stripes and hollows keep their shape
 * however much a view is stretched.
 */
const rowsOf: Record<string, readonly { top: number; height: number }[]> = {
  ro: [
    { top: 7, height: 2.5 },
    { top: 16.5, height: 2.5 },
  ],
  invalid: [{ top: 3, height: bandHeight - 6 }],
  mixed: [{ top: 11, height: 4 }],
};
const whole = [{ top: 0, height: bandHeight }];

/**
 * The outline that paints the rows of a look over spans of memory. It is filled, not stroked:
 * browsers make a stroke thinner when they squeeze it.
 */
export function outline(look: string, spans: readonly Span[]): string {
  const rows = rowsOf[look] ?? whole;
  return mergeSame(spans)
    .flatMap(({ from, to }) =>
      rows.map(({ top, height }) => `M${from} ${top}h${to - from}v${height}H${from}`),
    )
    .join('');
}

function path(look: string, spans: readonly Span[]): Markup {
  return html`<path class="${look}" d="${outline(look, spans)}"/>`;
}

function mergeSame(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const { from, to } of spans) {
    const last = merged.at(-1);
    if (last?.to === from) last.to = to;
    else merged.push({ from, to });
  }
  return merged;
}

function paths(strokes: readonly Stroke[]): Markup {
  const kinds = Map.groupBy(strokes, ({ kind }) => kind);
  const lengths = (spans: readonly Span[]) =>
    spans.reduce((sum, { from, to }) => sum + to - from, 0);
  // The most common kind is below the others, so that a seam between two strokes shows a colour of
  // the picture and not of the page.
  const layers = [...kinds].sort(([, left], [, right]) => lengths(right) - lengths(left));
  const marked = Map.groupBy(
    strokes.filter(({ overlay }) => overlay !== 'rw'),
    ({ overlay }) => overlay,
  );
  return html`${layers.map(([kind, spans]) => path(kind, spans))}${[...marked].map(([overlay, spans]) => path(overlay, spans))}`;
}

/** A band that pictures refer to by id. */
export interface Band {
  id: string;
  /** There were too many runs, so they were merged into mixed strokes. */
  merged: boolean;
}

/**
 * The bands of a page, each stored once: most cases of a run have the same linear map as some other
 * case.
 */
export interface BandStore {
  leaves(runs: readonly LeafRun[], scale: Scale, regime: Stage1Regime): Band;
  /** The definitions, for one hidden SVG on the page. */
  definitions(): Markup;
  /** Bytes of the definitions so far. */
  size(): number;
}

/** An empty store. */
export function createBandStore(): BandStore {
  const bands = new Map<string, { id: string; content: Markup }>();
  let size = 0;
  const keep = (content: Markup): string => {
    const known = bands.get(content.text);
    if (known !== undefined) return known.id;
    const id = `b${bands.size}`;
    bands.set(content.text, { id, content });
    size += content.text.length;
    return id;
  };
  return {
    leaves(runs, scale, regime) {
      const { strokes, merged } = bounded(strokesOf(runs, scale, regime));
      return { id: keep(paths(strokes)), merged };
    },
    definitions: () => {
      const groups = [...bands.values()].map(
        ({ id, content }) => html`<g id="${id}">${content}</g>\n`,
      );
      return html`<svg class="defs" width="0" height="0" aria-hidden="true"><defs>${groups}</defs></svg>`;
    },
    size: () => size,
  };
}
