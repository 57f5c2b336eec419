// SPDX-License-Identifier: GPL-2.0-only
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type IndexedPackage, parsePackages } from '../../images/debian/package-index.ts';

/**
 * Packages of Debian's arm64 suites on 2026-11-22, as their Packages files had them (kernels,
 * linux-base, QEMU; only the fields that ptdiff reads, without the debug packages). A line `@
 * SUITE` precedes each suite.
 */
export function recordedPackages(name: RegExp): IndexedPackage[] {
  const file = join(import.meta.dirname, 'fixtures/kernel-packages.txt.gz');
  const suites = gunzipSync(readFileSync(file)).toString().split(/^@ /m).slice(1);
  return suites.flatMap((text) => {
    const end = text.indexOf('\n');
    return parsePackages(
      text.slice(end + 1).trim(),
      text.slice(0, end),
      'http://mirror.invalid/debian/',
      name,
    );
  });
}
