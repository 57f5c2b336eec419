// SPDX-License-Identifier: GPL-2.0-only
import type { PredictedRun } from '../../model/types.ts';
import { mergeSpans, type Scale, type Span, unit } from './scale.ts';

/** A part of the linear map worth a picture of its own. */
export interface ZoomWindow extends Span {
  title: string;
  differs: boolean;
}

const mostWindows = 4;
const mebibyte = 2 ** 20 / unit;

/** Something that covers more of the memory than this is background, not a feature. */
const backgroundShare = 0.2;

interface Feature extends Span {
  why?: string;
}

/** Runs that the model explains as special: kernel image, KFENCE pool, read-only aliases. */
function featuresOf(predicted: readonly PredictedRun[], scale: Scale): Feature[] {
  const bytes = new Map<string, number>();
  for (const run of predicted) bytes.set(run.why, (bytes.get(run.why) ?? 0) + run.size);
  const total = [...bytes.values()].reduce((sum, value) => sum + value, 0);
  return predicted
    .filter((run) => (bytes.get(run.why) ?? 0) < total * backgroundShare)
    .map((run) => ({ ...scale.span(run), why: run.why }));
}

const overlap = (left: Span, right: Span): boolean => left.from < right.to && right.from < left.to;

function titleOf(span: Span, features: readonly Feature[], differs: boolean): string {
  const inside = features.filter((feature) => overlap(span, feature));
  const lengths = new Map<string, number>();
  for (const { why, from, to } of inside)
    lengths.set(why ?? '', (lengths.get(why ?? '') ?? 0) + to - from);
  const names = [...lengths].sort(([, left], [, right]) => right - left).map(([why]) => why);
  const shown = names.slice(0, 3).join(', ') + (names.length > 3 ? ', …' : '');
  return [...(differs ? ['differences'] : []), ...(shown === '' ? [] : [shown])].join(': ');
}

/**
 * Clusters by how much of what formed them they contain: a wide one may be a few scattered pages.
 */
function fullestFirst(clusters: readonly Span[], content: readonly Span[]): Span[] {
  const held = (cluster: Span) =>
    content
      .filter((span) => overlap(cluster, span))
      .reduce((sum, { from, to }) => sum + to - from, 0);
  return clusters
    .map((span) => ({ span, weight: held(span) }))
    .sort((left, right) => right.weight - left.weight)
    .map(({ span }) => span);
}

/** If a cluster is too wide for a useful zoom, only its beginning is shown. */
function cut(span: Span, extent: number): Span {
  if (span.to - span.from <= extent / 4) return span;
  return {
    from: span.from,
    to: Math.min(span.to, span.from + Math.max(4 * mebibyte, extent / 32)),
  };
}

function padded(span: Span, region: Span): Span {
  const pad = Math.max(16, Math.ceil((span.to - span.from) * 0.06));
  const grain = 16;
  return {
    from: Math.max(region.from, Math.floor((span.from - pad) / grain) * grain),
    to: Math.min(region.to, Math.ceil((span.to + pad) / grain) * grain),
  };
}

/**
 * The parts to draw enlarged: at 1 GiB per screen width a 64K leaf is invisible. Clusters of
 * differences come first, then clusters of what the model explains as special, fullest first; at
 * most four, returned in order of address.
 */
export function zoomWindows(predicted: readonly PredictedRun[], scale: Scale): ZoomWindow[] {
  const extent = scale.regions.reduce((sum, { from, to }) => sum + to - from, 0);
  const gap = Math.max(mebibyte, extent / 256);
  const features = featuresOf(predicted, scale);
  const different = mergeSpans(scale.differences, gap).map((span) => cut(span, extent));
  const special = mergeSpans(features, gap).filter(
    (span) => span.to - span.from <= extent / 4 && !different.some((other) => overlap(span, other)),
  );
  const candidates = [
    ...fullestFirst(different, scale.differences).map((span) => ({ span, differs: true })),
    ...fullestFirst(special, features).map((span) => ({ span, differs: false })),
  ];
  return candidates
    .slice(0, mostWindows)
    .map(({ span, differs }) => {
      const region = scale.regions.find((candidate) => overlap(candidate, span)) ?? span;
      return { ...padded(span, region), title: titleOf(span, features, differs), differs };
    })
    .sort((left, right) => left.from - right.from);
}
