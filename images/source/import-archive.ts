// SPDX-License-Identifier: GPL-2.0-only
import { readdir, rm } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { cachePath, exists, sha256File, withScratch } from '../../host/cache.ts';
import { requireSpace } from '../../host/disk-space.ts';
import { obtain } from '../../host/lock.ts';
import { requireRegular, whyUnreadable } from '../../host/read-file.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { PtdiffError } from '../../src/errors.ts';
import { type AptArchive, ensureLists, type FetchOptions } from '../debian/apt.ts';
import { downloadPackage, PackageGone } from '../debian/download.ts';
import { openKernelArchive } from '../debian/kernel-catalogue.ts';
import { type IndexedPackage, packageSchema, packagesMatching } from '../debian/package-index.ts';
import { unpackPackage } from '../debian/unpack.ts';
import { compareVersions, upstreamVersion } from '../debian/version.ts';
import { buildTools } from './build-tools.ts';
import { arm64Makefile, noArm64 } from './commit.ts';
import { withNewDesk } from './desks.ts';
import type { GitStore } from './git-store.ts';
import type { SourceTree } from './tree.ts';
import { unpackArchive } from './unpack-archive.ts';

const listSchema = z.strictObject({ updated: z.number(), packages: z.array(packageSchema) });
const treeSchema = z.strictObject({ tree: z.string().regex(/^[0-9a-f]{40}$/) });

/** Room for an unpacked kernel, its objects in git, and the archive during the import. */
const importBytes = 3 * 2 ** 30;

/**
 * The tree of a kernel source archive in any format that tar can unpack.
 * @throws `image` when it cannot be read or is not a kernel's source; `host`
 */
export async function tarballTree(
  store: GitStore,
  given: string,
  options: FetchOptions,
): Promise<SourceTree> {
  const path = resolve(given);
  const readable = requireRegular(path).then(() => sha256File(path));
  const digest = await readable.catch((cause) => {
    const why = whyUnreadable(cause);
    const hint = why.includes('directory') ? ' (git:PATH@REV takes a repository)' : '';
    throw new PtdiffError('image', `Cannot read the archive ${path}: ${why}${hint}.`, { cause });
  });
  const tree = await importOnce(store, digest, options, (use) => use(path), basename(path));
  return { tree, alternates: [], name: path, tag: `t${digest.slice(0, 8)}` };
}

/**
 * The tree of Debian's newest package linux-source of a version: `7.3` is any 7.3.x.
 * @param text the spec, for messages
 * @throws `image` when the archive does not list one, or has lost it
 */
export async function packageTree(
  store: GitStore,
  text: string,
  version: string,
  options: FetchOptions,
): Promise<SourceTree> {
  const archive = await openKernelArchive(options);
  const listed = await sourcePackages(archive, options);
  const matching = listed.filter((each) => matches(each, version));
  // Other builds of the same version can replace a lost one, as for kernels; other versions cannot.
  const upstream = matching[0] && upstreamVersion(matching[0].version);
  let gone: PackageGone | undefined;
  for (const each of matching.filter((other) => upstreamVersion(other.version) === upstream)) {
    const name = `${each.name} ${each.version}`;
    try {
      const fetch = (use: UseArchive) => withPackage(archive, each, options, use);
      const tree = await importOnce(store, `${each.name}_${each.version}`, options, fetch, name);
      return { tree, alternates: [], name: `${name} (${each.suite})`, version: each.version };
    } catch (error) {
      if (!(error instanceof PackageGone)) throw error;
      gone = error;
    }
  }
  if (gone !== undefined)
    throw new PtdiffError('image', `${text}: ${gone.message}`, { cause: gone });
  const versions = [...new Set(listed.map((each) => upstreamVersion(each.version)))].join(', ');
  throw new PtdiffError(
    'image',
    `Debian's archive has no linux-source of ${version}; it has ${versions}.`,
  );
}

/** What to do with a kernel source archive while it exists. */
type UseArchive = (path: string) => Promise<string>;

/** Downloads a package with a kernel's source; the package is not kept. */
function withPackage(
  archive: AptArchive,
  each: IndexedPackage,
  options: FetchOptions,
  use: UseArchive,
): Promise<string> {
  return withScratch(async (scratch) => {
    const deb = await downloadPackage(archive, each, scratch, options);
    await unpackPackage(deb, scratch, ['*/linux-source-*.tar.xz']);
    await rm(deb);
    const folder = join(scratch, 'usr/src');
    const [file] = (await readdir(folder).catch(() => [])).filter((name) =>
      name.endsWith('.tar.xz'),
    );
    if (file === undefined)
      throw new PtdiffError(
        'image',
        `The package ${each.name} ${each.version} contains no source.`,
      );
    return use(join(folder, file));
  });
}

/**
 * Newest first, release candidates last. Reading the lists of all packages takes seconds, so the
 * result is kept.
 */
async function sourcePackages(
  archive: AptArchive,
  options: FetchOptions,
): Promise<IndexedPackage[]> {
  const { updated } = await ensureLists(archive, options);
  const file = join(archive.directory, 'sources.json');
  const known = await readRecord(file, listSchema);
  if (known?.updated === updated) return known.packages;
  const listed = await packagesMatching(archive, /^linux-source-\d+\.\d+$/);
  const candidate = ({ version }: IndexedPackage) => Number(version.includes('~rc'));
  const packages = listed.sort(
    (a, b) => candidate(a) - candidate(b) || compareVersions(b.version, a.version),
  );
  await writeRecord(file, { updated, packages });
  return packages;
}

function matches({ version }: IndexedPackage, asked: string): boolean {
  const upstream = upstreamVersion(version);
  return (
    upstream === asked ||
    version === asked ||
    upstream.startsWith(`${asked}.`) ||
    upstream.startsWith(`${asked}~`)
  );
}

/** The tree of an archive; imports it unless that has been done before. */
async function importOnce(
  store: GitStore,
  key: string,
  options: FetchOptions,
  fetch: (use: UseArchive) => Promise<string>,
  what: string,
): Promise<string> {
  const record = cachePath('source', 'archives', `${key}.json`);
  const find = async () => {
    const tree = (await readRecord(record, treeSchema, options.progress))?.tree;
    return tree !== undefined && (await store.has(tree)) ? tree : undefined;
  };
  const make = async () => {
    await requireSpace(importBytes, `the source ${what}`);
    const tree = await fetch((path) => importTarball(store, path, options, what));
    await writeRecord(record, { tree });
    return tree;
  };
  const waiting = `waiting for another ptdiff that is unpacking ${what}`;
  return obtain(`source-${key}`, { find, make }, { ...options, waiting });
}

/**
 * Unpacks an archive and stores it as a tree; its files remain as a desk where the kernel can be
 * built at once.
 */
async function importTarball(
  store: GitStore,
  path: string,
  options: FetchOptions,
  what: string,
): Promise<string> {
  const { signal, progress } = options;
  const { bin } = await buildTools('gcc', new Map(), options);
  return withNewDesk(options, async (desk) => {
    progress?.(`unpacking ${what}`);
    await unpackArchive(path, desk.source, bin, signal);
    if (!(await exists(join(desk.source, arm64Makefile)))) throw noArm64(`The archive ${what}`);
    progress?.(`indexing ${what}`);
    const place = { index: desk.index, workTree: desk.source, signal };
    // One pack instead of a file per object, and little compression, since only this machine reads
    // it.
    const quick = [
      '-c',
      'core.bigFileThreshold=1',
      '-c',
      'core.compression=1',
      '-c',
      'core.fsync=none',
    ];
    await store.run([...quick, 'add', '--all', '--force', '.'], place);
    const tree = (await store.run(['write-tree'], place)).trim();
    return tree;
  });
}
