import { releaseOf } from '../linux/release.ts';
import type { Look } from './types.ts';

/**
 * The line of kernels that one belongs to, e.g. '7.3 arm64': a finding appears and goes along it. The flavour is part of it, since
 * 16K pages or another configuration give another linear map.
 */
function seriesOf({ release, flavour }: Pick<Look['kernel'], 'release' | 'flavour'>): string {
  const parsed = releaseOf(release);
  const version = parsed === undefined ? 'other' : `${parsed.major}.${parsed.minor}`;
  return `${version} ${flavour}`.trim();
}

/** A release as numbers that order it; release candidates come before the release itself. */
function rank(text: string): number[] {
  const { major, minor, patch, rc } = releaseOf(text) ?? { major: 0, minor: 0, patch: 0 };
  return [major, minor, patch, rc ?? Number.POSITIVE_INFINITY];
}

/** Compares two releases (`uname -r`) by version: negative when the left one is older, 0 when the version does not tell. */
export function compareReleases(left: string, right: string): number {
  const [first, second] = [rank(left), rank(right)];
  const place = first.findIndex((number, index) => number !== second[index]);
  if (place < 0) return 0;
  return first[place] < second[place] ? -1 : 1;
}

/** Compares two series by version, then by flavour, plain arm64 first. */
function compareSeries(left: string, right: string): number {
  const order = compareReleases(left, right);
  if (order !== 0 || left === right) return order;
  const plain = [left, right].map((series) => series.endsWith(' arm64'));
  return plain[0] || (!plain[1] && left < right) ? -1 : 1;
}

/** Orders looks in time; those of one instant by run and case, so that the order is the same on every day. */
export function byTime(left: Look, right: Look): number {
  const keys = ({ run, case: name }: Look) => [run.started, run.id, name];
  const [first, second] = [keys(left), keys(right)];
  const place = first.findIndex((key, index) => key !== second[index]);
  if (place < 0) return 0;
  return first[place] < second[place] ? -1 : 1;
}

/** The looks of each kernel (by the hash of its Image), kernels of one series in the order of their versions, then of their last look: a branch may go back. */
export function byKernel(looks: readonly Look[]): Look[][] {
  const groups = [
    ...Map.groupBy([...looks].sort(byTime), ({ kernel }) => JSON.stringify([kernel.sha256, kernel.release])),
  ];
  return groups
    .map(([, group]) => group)
    .sort((left, right) => {
      const order = compareReleases(left[0].kernel.release, right[0].kernel.release);
      return order !== 0 ? order : byTime(left[left.length - 1], right[right.length - 1]);
    });
}

/** The looks of each series, the oldest series first. */
export function bySeries(looks: readonly Look[]): [series: string, looks: Look[]][] {
  return [...Map.groupBy(looks, ({ kernel }) => seriesOf(kernel))].sort(([left], [right]) =>
    compareSeries(left, right),
  );
}
