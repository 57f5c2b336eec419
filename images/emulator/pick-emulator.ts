// SPDX-License-Identifier: GPL-2.0-only
import type { IndexedPackage } from '../debian/package-index.ts';
import { compareVersions, upstreamVersion } from '../debian/version.ts';

/**
 * The QEMU package to use for a version: exactly that one, otherwise the newest of the same X.Y,
 * and if the version need not be exact, the newest of all. A note says how it differs from the
 * request.
 * @param asked `X.Y.Z`, or `X.Y` for its newest
 * @param orNewest whether any version is better than none
 * @returns undefined when nothing matches
 */
export function pickEmulator(
  packages: IndexedPackage[],
  asked: string,
  orNewest: boolean,
): { package: IndexedPackage; notes: string[] } | undefined {
  const newestFirst = [...packages].sort((a, b) => compareVersions(b.version, a.version));
  const series = asked.split('.').slice(0, 2).join('.');
  const isSeries = (one: IndexedPackage) => numbersOf(one).startsWith(`${series}.`);
  const exact = newestFirst.find(
    (one) => numbersOf(one) === asked || (asked === series && isSeries(one)),
  );
  if (exact !== undefined) {
    return { package: exact, notes: [] };
  }
  const other = newestFirst.find(isSeries) ?? (orNewest ? newestFirst[0] : undefined);
  return (
    other && {
      package: other,
      notes: [
        `Debian's archive no longer has QEMU ${asked}; ${numbersOf(other)} of ${other.suite} is used instead.`,
      ],
    }
  );
}

/** `11.1.3` of `1:11.1.3+ds-1~bpo13+1`. */
function numbersOf({ version }: IndexedPackage): string {
  return /^[\d.]+/.exec(upstreamVersion(version))?.[0] ?? version;
}
