// SPDX-License-Identifier: GPL-2.0-only
import { releaseOf } from '../linux/release.ts';
import { first, last } from '../present.ts';
import type { Look } from './types.ts';

/**
 * The series of kernels that one belongs to, e.g. '7.3 arm64': a finding appears and disappears
 * within it. The flavour is part of it, since 16K pages or another configuration give another
 * linear map.
 */
function seriesOf({ release, flavour }: Pick<Look['kernel'], 'release' | 'flavour'>): string {
  const parsed = releaseOf(release);
  const version = parsed === undefined ? 'other' : `${parsed.major}.${parsed.minor}`;
  return `${version} ${flavour}`.trim();
}

/** A release as numbers for sorting; release candidates come before the release itself. */
function rank(text: string): number[] {
  const { major, minor, patch, rc } = releaseOf(text) ?? { major: 0, minor: 0, patch: 0 };
  return [major, minor, patch, rc ?? Number.POSITIVE_INFINITY];
}

/** Compares two lists of keys of equal length by the first key that differs. */
function compareKeys<Key extends number | string>(
  left: readonly Key[],
  right: readonly Key[],
): number {
  for (const [index, key] of left.entries()) {
    const other = right[index];
    if (other !== undefined && key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

/**
 * Compares two releases (`uname -r`) by version: negative when the left one is older, 0 when the
 * versions do not decide.
 */
export function compareReleases(left: string, right: string): number {
  return compareKeys(rank(left), rank(right));
}

/** Compares two series by version, then by flavour, with plain arm64 first. */
function compareSeries(left: string, right: string): number {
  const order = compareReleases(left, right);
  if (order !== 0 || left === right) return order;
  const plain = [left, right].map((series) => series.endsWith(' arm64'));
  return plain[0] || (!plain[1] && left < right) ? -1 : 1;
}

/**
 * Orders looks by time; looks of the same moment by run and case, so that the order is always the
 * same.
 */
export function byTime(left: Look, right: Look): number {
  const keys = ({ run, case: name }: Look) => [run.started, run.id, name];
  return compareKeys(keys(left), keys(right));
}

/**
 * The looks of each kernel (by the hash of its Image). Kernels of one series are in the order of
 * their versions, then of their last look, since a branch may go back.
 */
export function byKernel(looks: readonly Look[]): Look[][] {
  const groups = [
    ...Map.groupBy([...looks].sort(byTime), ({ kernel }) =>
      JSON.stringify([kernel.sha256, kernel.release]),
    ),
  ];
  return groups
    .map(([, group]) => group)
    .sort((left, right) => {
      const order = compareReleases(first(left).kernel.release, first(right).kernel.release);
      return order !== 0 ? order : byTime(last(left), last(right));
    });
}

/** The looks of each series, the oldest series first. */
export function bySeries(looks: readonly Look[]): [series: string, looks: Look[]][] {
  return [...Map.groupBy(looks, ({ kernel }) => seriesOf(kernel))].sort(([left], [right]) =>
    compareSeries(left, right),
  );
}
