// SPDX-License-Identifier: GPL-2.0-only
import type { LinearMapSizes } from '../../diff/types.ts';
import { html, type Markup } from '../html/markup.ts';
import { compositionKinds } from '../leaf-kinds.ts';
import { formatBytes, formatSeconds } from '../units.ts';

/** A point of a chart; neighbours are one step apart, however much time is between them. */
interface ChartPoint {
  /** The text that shows under the pointer: when, and which kernel. */
  label: string;
  linearMap?: LinearMapSizes;
  seconds?: number;
}

const width = 400;
const left = 4;
const right = 396;
const barHeight = 54;
const lineTop = 84;
const lineHeight = 34;

const rounded = (value: number): string => String(Math.round(value * 100) / 100);

function bar(point: ChartPoint, x: number, step: number): Markup[] {
  const sizes = point.linearMap;
  if (sizes === undefined) return [];
  const total = compositionKinds.reduce((sum, kind) => sum + sizes[kind], 0);
  const parts = compositionKinds.filter((kind) => sizes[kind] > 0);
  const label = `${point.label}: ${parts.map((kind) => `${kind} ${formatBytes(sizes[kind])}`).join(', ')}`;
  let top = 12 + barHeight;
  return parts.map((kind) => {
    const height = (barHeight * sizes[kind]) / total;
    top -= height;
    return html`<rect class="${kind}" x="${rounded(x)}" y="${rounded(top)}" width="${rounded(Math.max(1, step - 1.5))}" height="${rounded(height)}"><title>${label}</title></rect>`;
  });
}

function secondsLine(points: readonly ChartPoint[], middle: (index: number) => number): Markup {
  const timed = points.flatMap(({ seconds, label }, index) =>
    seconds === undefined ? [] : [{ seconds, label, index }],
  );
  if (timed.length === 0) return html``;
  const most = Math.max(...timed.map(({ seconds }) => seconds));
  const y = (seconds: number) => lineTop + lineHeight * (1 - seconds / (most || 1));
  const line = timed
    .map(
      ({ seconds, index }, place) =>
        `${place === 0 ? 'M' : 'L'}${rounded(middle(index))} ${rounded(y(seconds))}`,
    )
    .join('');
  const dots = timed.map(
    ({ seconds, label, index }) =>
      html`<circle cx="${rounded(middle(index))}" cy="${rounded(y(seconds))}" r="2.2"><title>${label}: ${formatSeconds(seconds)}</title></circle>`,
  );
  const base = lineTop + lineHeight;
  return html`<path class="axis" d="M${left} ${base}H${right}"/><path class="line" d="${line}"/>${dots}<text x="${left}" y="${lineTop - 3}">boot, up to ${formatSeconds(most)}</text>`;
}

/**
 * Two tracks over the same points: the composition of the linear map as stacked bars of equal
 * height, and the wall-clock time of the case on an axis from zero.
 */
export function trendChart(points: readonly ChartPoint[], name: string): Markup {
  const step = Math.min(26, (right - left) / Math.max(1, points.length));
  const bars = points.flatMap((point, index) => bar(point, left + index * step, step));
  const line = secondsLine(points, (index) => left + (index + 0.5) * step - 0.75);
  return html`<svg class="chart" viewBox="0 0 ${width} ${lineTop + lineHeight + 4}" role="img" aria-label="${name}: linear map and boot time over ${points.length} looks"><text x="${left}" y="8">linear map at init</text>${bars}${line}</svg>`;
}

/** A line of values around 1, e.g. boot times relative to the usual ones; the middle line is 1. */
export function ratioChart(
  points: readonly { label: string; ratio: number }[],
  name: string,
): Markup {
  const height = 90;
  const most = Math.max(2, ...points.map(({ ratio }) => ratio));
  const step = (right - left) / Math.max(1, points.length);
  const x = (index: number) => left + (index + 0.5) * step;
  const y = (ratio: number) => 18 + (height - 22) * (1 - ratio / most);
  const line = points
    .map(
      ({ ratio }, index) => `${index === 0 ? 'M' : 'L'}${rounded(x(index))} ${rounded(y(ratio))}`,
    )
    .join('');
  const dots = points.map(
    ({ ratio, label }, index) =>
      html`<circle cx="${rounded(x(index))}" cy="${rounded(y(ratio))}" r="2.5"><title>${label}: ${ratio.toFixed(2)} of the usual</title></circle>`,
  );
  return html`<svg class="chart" viewBox="0 0 ${width} ${height}" role="img" aria-label="${name}"><path class="axis" d="M${left} ${rounded(y(1))}H${right}M${left} ${rounded(y(0))}H${right}"/><text x="${left}" y="10">upper rule: the usual time; top: ${most.toFixed(1)} times as long</text><path class="line" d="${line}"/>${dots}</svg>`;
}
