// SPDX-License-Identifier: GPL-2.0-only
import { atLeast, parseRelease, type Release } from '../release.ts';
import { capabilityChanges } from './capability.ts';
import type { Change } from './change.ts';
import { linearMapChanges } from './linear-map.ts';
import { permissionChanges } from './permissions.ts';
import { platformChanges } from './platform.ts';

const rows = {
  ...linearMapChanges,
  ...permissionChanges,
  ...capabilityChanges,
  ...platformChanges,
};

/** The name of a change. */
export type ChangeId = keyof typeof rows;

/**
 * Every rule of the kernel that changed and that the model, or the code that reads an Image, must
 * know. Commits and subjects are those of the arm64 and stable trees. The changes themselves were
 * found by comparing the sources of 6.12.117, 6.18.15, 7.1.13, 7.2.13 and 7.3.4.
 */
export const changes: Readonly<Record<ChangeId, Change>> = rows;

/** The names of the changes, in the order of the table. */
export const changeIds = Object.keys(rows) as ChangeId[];

const from = (release: Release, version: string): boolean => {
  const { major, minor } = parseRelease(version);
  return atLeast(release, major, minor);
};

/** A stable update of the same series, or a later one. */
const carriedBy = (release: Release, version: string): boolean => {
  const { major, minor, patch } = parseRelease(version);
  return release.major === major && release.minor === minor && release.patch >= patch;
};

/**
 * Whether a kernel of a release has a change, for changes that leave no trace in the Image. A
 * release candidate counts as its release.
 */
export function byRelease(release: Release, id: ChangeId): boolean {
  const { since, until, taken, stables = [] } = changes[id];
  if (until !== undefined && from(release, until)) return false;
  return from(release, taken ?? since) || stables.some((version) => carriedBy(release, version));
}
