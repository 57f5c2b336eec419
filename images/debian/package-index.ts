// SPDX-License-Identifier: GPL-2.0-only
import { execa } from 'execa';
import { z } from 'zod';
import { digestSchema } from '../../host/sealed-folder.ts';
import { briefTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { AptArchive } from './apt.ts';

/** For records of the index's contents. */
export const packageSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Suite that lists it, e.g. `trixie-backports`. */
  suite: z.string(),
  /** Address of the .deb. */
  url: z.string(),
  bytes: z.number(),
  sha256: digestSchema,
});
/** One package as the archive's signed index describes it. */
export type IndexedPackage = z.infer<typeof packageSchema>;

/** Large enough for the text of the largest suite's index. */
const maximalIndexText = 512 * 2 ** 20;

/** Every package of the archive's lists whose name matches, in the order of the suites. */
export async function packagesMatching(
  archive: AptArchive,
  name: RegExp,
): Promise<IndexedPackage[]> {
  const { stdout } = await execa(
    'apt-get',
    // The path comes last: it is the only field that may contain blanks.
    ['indextargets', '--format', '$(RELEASE) $(SITE) $(FILENAME)', 'Created-By: Packages'],
    { ...briefTool, env: archive.env },
  );
  const found: IndexedPackage[] = [];
  for (const [, suite = '', site = '', file = ''] of stdout.matchAll(/^(\S+) (\S+) (.+)$/gm)) {
    const text = await execa('/usr/lib/apt/apt-helper', ['cat-file', file], {
      ...briefTool,
      env: archive.env,
      maxBuffer: maximalIndexText,
    });
    found.push(...parsePackages(text.stdout, suite, site, name));
  }
  return found;
}

/**
 * Parses a Packages index (deb822 stanzas).
 * @param site address that the index's `Filename` fields are relative to
 */
export function parsePackages(
  text: string,
  suite: string,
  site: string,
  name: RegExp,
): IndexedPackage[] {
  const found: IndexedPackage[] = [];
  for (const stanza of text.split('\n\n')) {
    const packageName = /^Package: (\S+)$/m.exec(stanza.slice(0, 200))?.[1];
    if (packageName === undefined || !name.test(packageName)) {
      continue;
    }
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(stanza)?.[1] ?? '';
    const digest = field('SHA256');
    if (!/^[0-9a-f]{64}$/.test(digest)) {
      throw new PtdiffError(
        'host',
        `The package index of ${suite} has no SHA-256 for ${packageName}.`,
      );
    }
    found.push({
      name: packageName,
      version: field('Version'),
      suite,
      url: `${site.replace(/\/+$/, '')}/${field('Filename')}`,
      bytes: Number(field('Size')),
      sha256: digest,
    });
  }
  return found;
}
