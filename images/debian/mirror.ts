// SPDX-License-Identifier: GPL-2.0-only
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { briefTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';

/**
 * Suites that only Debian's own archive has; they distinguish its mirror from other vendors'
 * sources.
 */
const debianRelease =
  /^(bullseye|bookworm|trixie|forky|duke|stable|testing|unstable|sid|oldstable)$/;

/**
 * The Debian mirror: the one named by the user (option, then `PTDIFF_MIRROR`), otherwise the one
 * that the host's own apt uses.
 * @returns its base address, without a slash at the end
 */
export async function debianMirror(option?: string): Promise<string> {
  const named = option || process.env.PTDIFF_MIRROR;
  const mirror = named || (await hostMirror());
  if (mirror === undefined) {
    throw new PtdiffError(
      'host',
      "This host's apt has no Debian source to take a mirror from: set PTDIFF_MIRROR to the address of a Debian mirror.",
    );
  }
  return mirror.replace(/\/+$/, '');
}

async function hostMirror(): Promise<string | undefined> {
  const { stdout } = await execa('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE)'], {
    ...briefTool,
    reject: false,
  });
  const known = (stdout ?? '').split('\n').map((line) => line.split(' '));
  const site = known.find(([, release]) => debianRelease.test(release ?? ''))?.[0];
  // apt lists only what it has downloaded before, which a fresh container has not; in that case the
  // source files are read.
  return site ?? mirrorOfSources(await sourceTexts());
}

async function sourceTexts(): Promise<string[]> {
  const { stdout } = await execa(
    'apt-config',
    ['shell', 'LIST', 'Dir::Etc::sourcelist/f', 'PARTS', 'Dir::Etc::sourceparts/d'],
    briefTool,
  );
  const value = (name: string) => new RegExp(`^${name}='(.*)'$`, 'm').exec(stdout)?.[1] ?? '';
  const parts = await readdir(value('PARTS')).catch(() => []);
  const files = [
    value('LIST'),
    ...parts
      .filter((name) => /\.(list|sources)$/.test(name))
      .map((name) => join(value('PARTS'), name)),
  ];
  return Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
}

/**
 * The address of the first Debian source in the texts of sources.list and *.sources files
 * (sources.list(5)).
 */
export function mirrorOfSources(texts: string[]): string | undefined {
  for (const text of texts) {
    for (const line of text.split('\n')) {
      const [, uri, suite] = /^deb\s+(?:\[[^\]]*\]\s*)?(\S+)\s+(\S+)/.exec(line) ?? [];
      if (uri !== undefined && suite !== undefined && debianRelease.test(suite)) {
        return uri;
      }
    }
    for (const stanza of text.replace(/^#.*\n?/gm, '').split(/\n\s*\n/)) {
      const uri = /^URIs:\s*(\S+)/im.exec(stanza)?.[1];
      const suites = /^Suites:\s*(.*)$/im.exec(stanza)?.[1] ?? '';
      if (
        uri !== undefined &&
        !/^Enabled:\s*no/im.test(stanza) &&
        suites.split(/\s+/).some((s) => debianRelease.test(s))
      ) {
        return uri;
      }
    }
  }
  return undefined;
}
