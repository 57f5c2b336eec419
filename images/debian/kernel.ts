// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cachePath, type Progress, withScratch } from '../../host/cache.ts';
import { obtain } from '../../host/lock.ts';
import { readRecord, writeRecord } from '../../host/records.ts';
import { digestSchema } from '../../host/sealed-folder.ts';
import { messageOf, PtdiffError } from '../../src/errors.ts';
import { checkImage } from '../image-check.ts';
import { keepImage, keptImage } from '../keep-image.ts';
import type { AptArchive, FetchOptions } from './apt.ts';
import { downloadPackage } from './download.ts';
import type { KernelBuild } from './kernel-builds.ts';
import { unpackPackage } from './unpack.ts';

/** A Debian kernel whose files are in the cache. */
interface CachedKernel {
  /** SHA-256 of the Image. */
  sha256: string;
  release: string;
  imagePath: string;
  configPath?: string;
  notes: string[];
}

const recordSchema = z.strictObject({
  sha256: digestSchema,
  release: z.string().regex(/^\d+\.\d+\S*$/),
  config: z.boolean(),
  notes: z.array(z.string()),
});
type CacheRecord = z.infer<typeof recordSchema>;

/** The cache file that says which Image a package contains. */
function recordPath({ image }: KernelBuild): string {
  return cachePath('kernels', 'packages', `${image.name}_${image.version}.json`);
}

/** The kernel's files if the cache has them unchanged; does not use the network. */
export async function cachedKernel(
  build: KernelBuild,
  progress?: Progress,
): Promise<CachedKernel | undefined> {
  const record = await readRecord(recordPath(build), recordSchema, progress);
  const kept = record && (await keptImage(record.sha256, progress));
  if (
    record === undefined ||
    kept === undefined ||
    (record.config && kept.configPath === undefined)
  ) {
    return undefined;
  }
  const { sha256, release, notes } = record;
  const { imagePath, configPath } = kept;
  return {
    sha256,
    release,
    notes,
    imagePath,
    ...(record.config && configPath ? { configPath } : {}),
  };
}

/**
 * A kernel's Image and config; fetched into the cache if they are not there. The packages
 * themselves are not kept.
 * @throws PackageGone; `image` when the package contains no arm64 Image; `host`
 */
export async function fetchKernel(
  archive: AptArchive,
  build: KernelBuild,
  options: FetchOptions,
): Promise<CachedKernel> {
  const what = `${build.image.name} ${build.version}`;
  const find = () => cachedKernel(build, options.progress);
  const make = async () => {
    await withScratch(async (scratch) => {
      const files = await unpackImage(archive, build, scratch, options);
      const image = await readFile(files.image);
      const { release, bytes } = checkImage(image, what);
      const config = files.config ?? (await unpackConfig(archive, build, scratch, options));
      const notes = config.file === undefined && config.note !== undefined ? [config.note] : [];
      const text = config.file === undefined ? undefined : await readFile(config.file);
      const { sha256 } = await keepImage(bytes, text);
      const record: CacheRecord = { sha256, release, config: text !== undefined, notes };
      await writeRecord(recordPath(build), record);
    });
    const kernel = await find();
    if (kernel === undefined) {
      throw new PtdiffError('harness', `The cache lost ${what} right after it was stored.`);
    }
    return kernel;
  };
  const waiting = `waiting for another ptdiff that is fetching ${what}`;
  return obtain(
    `kernel-${build.image.name}_${build.version}`,
    { find, make },
    { ...options, waiting },
  );
}

type ConfigFile = { file: string } | { file: undefined; note?: string };

async function unpackImage(
  archive: AptArchive,
  build: KernelBuild,
  scratch: string,
  options: FetchOptions,
) {
  const deb = await downloadPackage(archive, build.image, scratch, options);
  const tree = join(scratch, 'image');
  await mkdir(tree);
  await unpackPackage(deb, tree, ['*/vmlinuz*', './boot/config-*'], { once: true });
  const names = await filesBelow(tree);
  const image = names.find((name) => /(^|\/)vmlinuz(-[^/]*)?$/.test(name));
  if (image === undefined) {
    throw new PtdiffError(
      'image',
      `The package ${build.image.name} ${build.version} contains no vmlinuz.`,
    );
  }
  const config = names.find((name) => /^boot\/config-[^/]*$/.test(name));
  return {
    image: join(tree, image),
    config: config === undefined ? undefined : { file: join(tree, config) },
  };
}

async function unpackConfig(
  archive: AptArchive,
  build: KernelBuild,
  scratch: string,
  options: FetchOptions,
): Promise<ConfigFile> {
  // The archive no longer has a config for several releases, and the Image itself shows what
  // matters, so there is no note.
  if (build.config === undefined) {
    return { file: undefined };
  }
  let deb: string;
  try {
    deb = await downloadPackage(archive, build.config, scratch, options);
  } catch (error) {
    // A kernel boots without its config file; the caller must say what cannot be known without it.
    if (error instanceof PtdiffError && error.fault === 'image') {
      return { file: undefined, note: messageOf(error) };
    }
    throw error;
  }
  const tree = join(scratch, 'config');
  await mkdir(tree);
  await unpackPackage(deb, tree, ['*/config', './boot/config-*']);
  const config = (await filesBelow(tree)).find((name) =>
    /(^boot\/config-[^/]*|^usr\/lib\/modules\/[^/]+\/config)$/.test(name),
  );
  return config === undefined
    ? {
        file: undefined,
        note: `The package ${build.config.name} ${build.config.version} contains no config.`,
      }
    : { file: join(tree, config) };
}

/** Regular files below a directory, as paths relative to it. */
async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1));
}
