// SPDX-License-Identifier: GPL-2.0-only
import { present } from '../../present.ts';
import { formatBytes } from '../units.ts';
import { html, type Markup } from './markup.ts';
import { type Scale, type Span, unit } from './scale.ts';

/** A span of memory with its position in a picture, in pixels. */
export interface Placed extends Span {
  x: number;
  width: number;
}

const gapWidth = 34;
const least = 6;

/**
 * Lays out regions side by side, to scale, with a gap of fixed width for each hole; every region
 * stays visible.
 */
export function placeRegions(regions: readonly Span[], left: number, width: number): Placed[] {
  const room = width - gapWidth * (regions.length - 1) - least * regions.length;
  const total = regions.reduce((sum, { from, to }) => sum + to - from, 0);
  let x = left;
  return regions.map((region) => {
    const own = least + (room * (region.to - region.from)) / total;
    const placed = { ...region, x, width: own };
    x += own + gapWidth;
    return placed;
  });
}

/** A power of two of units between two ticks, so that a span has at most `count` ticks. */
function tickStep(span: Span, count: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2((span.to - span.from) / Math.max(1, count))));
}

function label(address: number, style: 'gibibytes' | 'hexadecimal'): string {
  return style === 'gibibytes'
    ? `${Number((address / 2 ** 30).toFixed(3))}`
    : `0x${address.toString(16)}`;
}

const rounded = (value: number): string => String(Math.round(value * 10) / 10);

/** Ticks and labels of one placed region, below `top`; ticks are at round physical addresses. */
export function axis(
  placed: Placed,
  scale: Scale,
  top: number,
  style: 'gibibytes' | 'hexadecimal',
): Markup {
  const step = tickStep(placed, placed.width / (style === 'gibibytes' ? 70 : 110));
  const origin = scale.base / unit;
  const ticks: { x: number; address: number }[] = [];
  for (
    let at = Math.ceil((origin + placed.from) / step) * step;
    at <= origin + placed.to;
    at += step
  ) {
    const x = placed.x + ((at - origin - placed.from) * placed.width) / (placed.to - placed.from);
    ticks.push({ x, address: at * unit });
  }
  const lines = ticks.map(({ x }) => `M${rounded(x)} ${top}v5`).join('');
  const texts = ticks.map(
    ({ x, address }) =>
      html`<text x="${rounded(x)}" y="${top + 16}">${label(address, style)}</text>`,
  );
  return html`<path class="tick" d="M${rounded(placed.x)} ${top}h${rounded(placed.width)}${lines}"/>${texts}`;
}

/** The holes between placed regions, each with its size. */
export function holes(regions: readonly Placed[], top: number): Markup[] {
  return regions.slice(1).map((region, index) => {
    const before = present(regions[index], 'region before one');
    const middle = rounded((before.x + before.width + region.x) / 2);
    const size = formatBytes((region.from - before.to) * unit);
    return html`<text class="hole" x="${middle}" y="${top}">⋯</text><text class="hole" x="${middle}" y="${top + 14}">${size}</text>`;
  });
}
