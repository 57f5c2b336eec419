// SPDX-License-Identifier: GPL-2.0-only
import { PtdiffError } from '../errors.ts';

/** A kernel release as numbers, e.g. 6.18.15-rc2 is { major: 6, minor: 18, patch: 15, rc: 2 }. */
export interface Release {
  major: number;
  minor: number;
  patch: number;
  rc?: number;
}

/**
 * Parses the upstream part of `uname -r` ('7.3.4+deb13-arm64', '7.3-rc7-arm64', '6.18'); undefined
 * for a text that does not start like a release.
 */
export function releaseOf(text: string): Release | undefined {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?(?:[-~]rc(\d+))?/.exec(text);
  if (!match) return undefined;
  const release: Release = {
    major: Number(match[1]),
    minor: Number(match[2]),
    patch: Number(match[3] ?? 0),
  };
  return match[4] === undefined ? release : { ...release, rc: Number(match[4]) };
}

/**
 * The same for a text that must be one.
 * @throws PtdiffError(image) when the text does not start like a release.
 */
export function parseRelease(text: string): Release {
  const release = releaseOf(text);
  if (!release)
    throw new PtdiffError('image', `'${text}' is not a kernel release such as 6.18.15.`);
  return release;
}

/**
 * True when `release` is `major.minor` or newer; release candidates of major.minor count as
 * major.minor.
 */
export function atLeast(release: Release, major: number, minor: number): boolean {
  return release.major > major || (release.major === major && release.minor >= minor);
}
