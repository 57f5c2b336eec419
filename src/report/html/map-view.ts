// SPDX-License-Identifier: GPL-2.0-only
import { first } from '../../present.ts';
import { axis, holes, type Placed, placeRegions } from './axis.ts';
import { type Band, bandHeight } from './bands.ts';
import { html, type Markup } from './markup.ts';
import { mergeSpans, type Scale, type Span } from './scale.ts';

const pictureWidth = 1000;
const labelWidth = 72;
const margin = 14;
const rows = { predicted: 16, actual: 16 + bandHeight + 4, diff: 16 + 2 * (bandHeight + 4) };
const diffHeight = 12;
const axisTop = rows.diff + diffHeight + 4;
const pictureHeight = axisTop + 22;

/** The bands of one checkpoint, and their labels. */
export interface MapBands {
  predicted: Band;
  actual: Band;
  labels: MapLabels;
}

/** Names of the upper and the lower side of a picture, one word each. */
export interface MapLabels {
  upper: string;
  lower: string;
}

const round = (value: number): number => Math.round(value * 10) / 10;

/**
 * A band cut to a region and stretched to its width: the band itself is drawn only once per page.
 */
function stretched(band: Band, region: Placed, y: number): Markup {
  const box = `${region.from} 0 ${region.to - region.from} ${bandHeight}`;
  return html`<svg x="${round(region.x)}" y="${y}" width="${round(region.width)}" height="${bandHeight}" viewBox="${box}" preserveAspectRatio="none"><use href="#${band.id}"/></svg>`;
}

/** Where spans are in the picture of a region, each at least so many pixels wide. */
export function placedSpans(spans: readonly Span[], region: Placed, least: number): Span[] {
  const pixels = region.width / (region.to - region.from);
  return spans
    .filter(({ from, to }) => from < region.to && to > region.from)
    .map(({ from, to }) => {
      const left = region.x + (Math.max(from, region.from) - region.from) * pixels;
      const right = region.x + (Math.min(to, region.to) - region.from) * pixels;
      return { from: left, to: Math.max(right, left + least) };
    });
}

/** Lines at a height, as a path; those that touch are one. */
export function linesAt(y: number, placed: readonly Span[]): string {
  return mergeSpans(placed, 1)
    .map(({ from, to }) => `M${round(from)} ${y}h${round(to - from)}`)
    .join('');
}

/** Marks of the differences in a region, each at least two pixels wide. */
function marks(differences: readonly Span[], region: Placed): string {
  return linesAt(rows.diff + diffHeight / 2, placedSpans(differences, region, 2));
}

function view(
  bands: MapBands,
  scale: Scale,
  regions: readonly Placed[],
  style: 'gibibytes' | 'hexadecimal',
): Markup {
  const differing = regions.map((region) => marks(scale.differences, region)).join('');
  const label = (y: number, height: number, text: string) =>
    html`<text class="band" x="${labelWidth - 8}" y="${y + height / 2 + 4}">${text}</text>`;
  return html`${label(rows.predicted, bandHeight, bands.labels.upper)}${label(rows.actual, bandHeight, bands.labels.lower)}${label(rows.diff, diffHeight, 'differs')}
${regions.map((region) => [stretched(bands.predicted, region, rows.predicted), stretched(bands.actual, region, rows.actual)])}
<path class="rail" d="${regions.map(({ x, width }) => `M${round(x)} ${rows.diff + diffHeight / 2}h${round(width)}`).join('')}"/>${differing === '' ? undefined : html`<path class="mark" d="${differing}"/>`}
${regions.map((region) => axis(region, scale, axisTop, style))}${holes(regions, rows.predicted + bandHeight)}`;
}

function picture(title: string, top: number, content: Markup): Markup {
  return html`<svg class="map" viewBox="0 ${top} ${pictureWidth} ${pictureHeight - top}" role="img"><title>${title}</title>${content}</svg>`;
}

const plotWidth = pictureWidth - labelWidth - margin;

/** Where the memory of a map is, in pixels of its picture. */
export const plot = { x: labelWidth, width: plotWidth };

/** The regions of a whole linear map, placed. */
export function mapRegions({ regions }: Scale): Placed[] {
  return placeRegions(regions, plot.x, plot.width);
}

/** One band of a linear map, and below it what changed: a path whose lines are at y = 6. */
export function changedMap(band: Band, label: string, scale: Scale, changed: string): Markup {
  const regions = mapRegions(scale);
  const rail = regions.map(({ x, width }) => `M${round(x)} 6h${round(width)}`).join('');
  const top = bandHeight + 4;
  const text = (y: number, words: string) =>
    html`<text class="band" x="${labelWidth - 8}" y="${y}">${words}</text>`;
  return html`<svg class="map" viewBox="0 0 ${pictureWidth} ${top + 38}" role="img"><title>What changed, on the linear map at ${label}</title>${text(bandHeight / 2 + 4, 'map')}${text(top + 10, 'changed')}${regions.map((region) => stretched(band, region, 0))}<svg y="${top}" width="${pictureWidth}" height="12"><path class="rail" d="${rail}"/><path class="mark" d="${changed}"/></svg>${regions.map((region) => axis(region, scale, top + 14, 'gibibytes'))}${holes(regions, bandHeight)}</svg>`;
}

/** Letters of the enlarged views, in order. */
export const windowLetters = 'abcdefghij';

/**
 * Brackets above an overview that show the positions of the enlarged views; letters keep their
 * distance.
 */
function brackets(windows: readonly Span[], regions: readonly Placed[]): Markup {
  let lastLetter = 0;
  const each = windows.map(({ from, to }, index) => {
    const region =
      regions.find((candidate) => from < candidate.to && to > candidate.from) ?? first(regions);
    const pixels = region.width / (region.to - region.from);
    const left = region.x + (from - region.from) * pixels;
    const right = Math.max(left + 3, region.x + (to - region.from) * pixels);
    lastLetter = Math.max((left + right) / 2, lastLetter + 10);
    return html`<path class="tick" d="M${round(left)} 14v-4H${round(right)}v4"/><text x="${round(lastLetter)}" y="8">${windowLetters[index]}</text>`;
  });
  return html`${each}`;
}

/**
 * The whole linear map to scale, with compressed holes, an axis in GiB of physical address, and
 * letters for `windows`.
 */
export function overview(
  bands: MapBands,
  scale: Scale,
  title: string,
  windows: readonly Span[],
): Markup {
  const regions = mapRegions(scale);
  return picture(
    title,
    0,
    html`${view(bands, scale, regions, 'gibibytes')}${brackets(windows, regions)}`,
  );
}

/** An enlarged part of the linear map, with an axis in hexadecimal physical addresses. */
export function zoomed(bands: MapBands, scale: Scale, span: Span, title: string): Markup {
  return picture(
    title,
    rows.predicted - 2,
    view(bands, scale, [{ ...span, x: labelWidth, width: plotWidth }], 'hexadecimal'),
  );
}
