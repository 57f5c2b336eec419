// SPDX-License-Identifier: GPL-2.0-only
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { sha256File } from '../../host/cache.ts';
import { explainDiskFull, mebibytes, requireSpace } from '../../host/disk-space.ts';
import { timed } from '../../host/timed.ts';
import { longTool } from '../../host/tool-limits.ts';
import { PtdiffError } from '../../src/errors.ts';
import { first } from '../../src/present.ts';
import type { AptArchive, FetchOptions } from './apt.ts';
import type { IndexedPackage } from './package-index.ts';

/** What is needed to fetch and verify a package. */
export type Downloadable = Pick<IndexedPackage, 'name' | 'version' | 'url' | 'bytes' | 'sha256'>;

/** The archive's index lists a package whose file no longer exists. */
export class PackageGone extends PtdiffError {
  constructor(wanted: Downloadable) {
    super(
      'image',
      `${wanted.name} ${wanted.version} is listed by Debian's index, but its file is gone from the archive.`,
    );
    this.name = 'PackageGone';
  }
}

/**
 * Downloads packages into a directory through apt, with its proxy settings, and verifies each
 * against its hash in the signed index.
 * @returns the .deb files, in the requested order
 * @throws PackageGone; `host` when the mirror cannot be reached or the disk is full; the signal's
 * reason
 */
export async function downloadPackages(
  archive: AptArchive,
  wanted: Downloadable[],
  directory: string,
  options: FetchOptions,
): Promise<string[]> {
  const total = wanted.reduce((sum, { bytes }) => sum + bytes, 0);
  const [one, another] = wanted;
  const what = one && !another ? `${one.name} ${one.version}` : `${wanted.length} packages`;
  await requireSpace(total * 2, what);
  const targets = wanted.map((each) => ({
    ...each,
    file: join(directory, decodeURIComponent(basename(each.url))),
  }));
  const files = targets.map(({ file }) => file);
  const stop = watchSize(files, (bytes) => {
    options.progress?.(`downloading ${what}: ${mebibytes(bytes)} of ${mebibytes(total)}`);
  });
  try {
    await timed('downloads', () => runHelper(archive, targets, options.signal));
  } catch (error) {
    throw await explainDiskFull(error, what);
  } finally {
    stop();
  }
  options.progress?.(`downloaded ${what}, ${mebibytes(total)}`);
  for (const { file, name, version, sha256 } of targets) {
    if ((await sha256File(file)) !== sha256) {
      throw new PtdiffError('host', `The download of ${name} ${version} is damaged: run it again.`);
    }
  }
  return files;
}

/** The same for one package. */
export async function downloadPackage(
  archive: AptArchive,
  wanted: Downloadable,
  directory: string,
  options: FetchOptions,
): Promise<string> {
  return first(await downloadPackages(archive, [wanted], directory, options));
}

async function runHelper(
  archive: AptArchive,
  wanted: (Downloadable & { file: string })[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const triples = wanted.flatMap(({ url, sha256, file }) => [url, file, `SHA256:${sha256}`]);
  const { exitCode, stderr } = await execa(
    '/usr/lib/apt/apt-helper',
    ['download-file', ...triples],
    {
      ...longTool,
      env: archive.env,
      stdout: 'ignore',
      reject: false,
      ...(signal && { cancelSignal: signal }),
    },
  );
  signal?.throwIfAborted();
  if (exitCode === 0) {
    return;
  }
  const complaints = (stderr ?? '')
    .split('\n')
    .filter((line) => /\b404\b|File not found/.test(line));
  for (const one of wanted) {
    // apt writes `+` and `~` of an address as %2b and %7e; the index writes them as they are.
    if (complaints.some((line) => plainAddress(line).includes(plainAddress(one.url)))) {
      throw new PackageGone(one);
    }
  }
  const why = /^E: (.*)$/m.exec(stderr ?? '')?.[1] ?? 'apt-helper failed';
  throw new PtdiffError(
    'host',
    `Cannot download from ${archive.mirror}: ${why.replace(/\s+/g, ' ')}`,
  );
}

function plainAddress(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** Reports the total size of the files twice a second until the returned function is called. */
function watchSize(files: string[], report: (bytes: number) => void): () => void {
  const timer = setInterval(async () => {
    const sizes = await Promise.all(
      files.map((file) =>
        stat(file).then(
          (s) => s.size,
          () => 0,
        ),
      ),
    );
    report(sizes.reduce((sum, size) => sum + size, 0));
  }, 500);
  return () => clearInterval(timer);
}
