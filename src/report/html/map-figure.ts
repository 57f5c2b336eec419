// SPDX-License-Identifier: GPL-2.0-only
import { countText } from '../../diff/text.ts';
import { leafKind, linearMapSizes } from '../../linux/leaf-kind.ts';
import { type Stage1Regime, stage1Regime } from '../../vmsa/regime.ts';
import type { LeafRun } from '../../vmsa/types.ts';
import { acceptedText, kindLabel, sameSizes, shadeOf } from '../leaf-kinds.ts';
import type { CaseDrawing } from '../types.ts';
import { formatBytes, formatPhysical, formatVirtual } from '../units.ts';
import type { BandStore } from './bands.ts';
import { type MapBands, type MapLabels, overview, windowLetters, zoomed } from './map-view.ts';
import { html, type Markup } from './markup.ts';
import { measure, type Scale, unit } from './scale.ts';
import { type ZoomWindow, zoomWindows } from './zoom-windows.ts';

const listedDifferences = 24;

function leafCells(run: LeafRun | undefined, regime: Stage1Regime): Markup {
  if (run === undefined) return html`<td>nothing</td><td></td>`;
  const shade = shadeOf(run, regime);
  return html`<td>${kindLabel(regime.granule, leafKind(run))} ${shade === 'invalid' ? shade : shade.toUpperCase()}</td><td><code>0x${run.attributes.toString(16)}</code></td>`;
}

/**
 * The first differing stretches as a table: address, both sides, and what the model says the memory
 * is.
 */
function differencesTable(
  { differences }: CaseDrawing,
  regimes: { upper: Stage1Regime; lower: Stage1Regime },
  { upper, lower }: MapLabels,
): Markup | undefined {
  if (differences.length === 0) return undefined;
  const rows = differences.slice(0, listedDifferences).map(({ expected, actual }) => {
    const run = expected ?? actual;
    if (run === undefined) return undefined;
    return html`<tr><td><code>${formatVirtual(run.va)}</code></td><td><code>${formatPhysical(run.pa)}</code></td><td class="num">${formatBytes(run.size)}</td>${leafCells(expected, regimes.upper)}${leafCells(actual, regimes.lower)}<td>${expected?.why ?? `nothing ${upper}`}</td></tr>`;
  });
  const more = differences.length - rows.length;
  return html`<div class="scroll"><table class="leaves"><caption>${countText(differences.length, 'differing stretch', 'differing stretches')}${more > 0 ? `, the first ${rows.length} shown` : ''}</caption>
<thead><tr><th scope="col">virtual</th><th scope="col">physical</th><th scope="col" class="num">size</th><th scope="col">${upper}</th><th scope="col">bits</th><th scope="col">${lower}</th><th scope="col">bits</th><th scope="col">what it is</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

function windowViews(windows: readonly ZoomWindow[], bands: MapBands, scale: Scale): Markup[] {
  return windows.map((window, index) => {
    const from = scale.base + window.from * unit;
    const size = (window.to - window.from) * unit;
    const caption = `${formatPhysical(from)}, ${formatBytes(size)}: ${window.title}`;
    return html`<p class="zoomed${window.differs ? ' differs' : ''}"><b>${windowLetters[index]}</b> ${caption}</p>${zoomed(bands, scale, window, `Enlarged: ${caption}`)}`;
  });
}

/** How much of a checkpoint is drawn: only a few cases of a page can be drawn in full. */
export type DrawingDepth = 'full' | 'overview';

/**
 * One checkpoint: the linear map to scale, predicted above actual (or what `labels` names), then
 * enlarged views of the interesting parts and the list of differences. The script uses the
 * attributes on the figure to zoom freely.
 */
export function mapFigure(
  drawing: CaseDrawing,
  store: BandStore,
  depth: DrawingDepth,
  labels: MapLabels = { upper: 'predicted', lower: 'actual' },
): Markup {
  if (drawing.predicted.length + drawing.actual.length === 0)
    return html`<p>The linear map is empty.</p>`;
  const scale = measure(drawing);
  const regimes = {
    upper: stage1Regime(drawing.registers, 'ttbr1'),
    lower: stage1Regime(drawing.actualRegisters ?? drawing.registers, 'ttbr1'),
  };
  const bands: MapBands = {
    predicted: store.leaves(drawing.predicted, scale, regimes.upper),
    actual: store.leaves(drawing.actual, scale, regimes.lower),
    labels,
  };
  const windows = depth === 'full' ? zoomWindows(drawing.predicted, scale) : [];
  const differing = scale.differences.reduce((sum, { from, to }) => sum + (to - from) * unit, 0);
  const accepted =
    labels.upper === 'predicted' &&
    !sameSizes(linearMapSizes(drawing.predicted), linearMapSizes(drawing.actual))
      ? ` (${acceptedText})`
      : '';
  const verdict =
    differing === 0
      ? `${labels.upper} and ${labels.lower} agree${accepted}`
      : `${formatBytes(differing)} differ`;
  const spans = scale.regions.map(({ from, to }) => `${from}-${to}`).join(' ');
  const merged =
    bands.predicted.merged || bands.actual.merged
      ? html`<p class="note">More runs than a picture holds: neighbours were merged into strokes of the commoner kind, with a line through them.</p>`
      : undefined;
  return html`<figure data-base="${scale.base}" data-spans="${spans}" data-predicted="${bands.predicted.id}" data-actual="${bands.actual.id}" data-labels="${labels.upper} ${labels.lower}">
${overview(bands, scale, `Linear map at ${drawing.checkpoint}: ${verdict}`, windows)}
<figcaption>At <b>${drawing.checkpoint}</b>: ${verdict}. Physical address in GiB.</figcaption>${merged}
${windowViews(windows, bands, scale)}</figure>${differencesTable(drawing, regimes, labels)}`;
}
