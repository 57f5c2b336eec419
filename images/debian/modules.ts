// SPDX-License-Identifier: GPL-2.0-only
import { mkdir, readdir, rename } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { cachePath, withScratch } from '../../host/cache.ts';
import { obtain } from '../../host/lock.ts';
import { publishFolder, type Seal, takeFolder } from '../../host/sealed-folder.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { KernelImage } from '../kernel-image.ts';
import type { FetchOptions } from './apt.ts';
import { downloadPackage } from './download.ts';
import { kernelCatalogue } from './kernel-catalogue.ts';
import { unpackPackage } from './unpack.ts';

/** Endings of a module's file name, with or without Debian's compression. */
const ending = /\.ko(\.xz|\.zst|\.gz)?$/;

/** How modules are fetched. */
interface ModuleOptions extends FetchOptions {
  /**
   * Modules that are kept with them, as far as the kernel has them: who asks for some of these later
   * finds them, as the package is large.
   */
  others?: readonly string[];
}

/**
 * Modules of a Debian kernel, from the package that contains them; nothing else of the package is
 * kept.
 * @param names of modules, i.e. their file names without the ending
 * @returns paths of their files, in the requested order
 * @throws `image` for a kernel whose modules the archive does not have, or that has no such module;
 * `host`
 */
export async function debianModules(
  { spec, release, version }: Pick<KernelImage, 'spec' | 'release' | 'version'>,
  names: readonly string[],
  { others = [], ...options }: ModuleOptions = {},
): Promise<string[]> {
  const kept = [...new Set([...names, ...others])].sort();
  const directory = cachePath('modules', `${release}_${version}`, kept.join('+'));
  const find = () => takeFolder(directory, options.progress);
  const make = () => fetchModules(directory, { spec, release, version }, kept, options);
  const waiting = `waiting for another ptdiff that is fetching modules of ${release}`;
  const seal = await obtain(
    `modules-${release}_${version}`,
    { find, make },
    { ...options, waiting },
  );
  const files = Object.keys(seal.files);
  return names.map((name) => {
    const found = files.find((file) => file.replace(ending, '') === name);
    if (found !== undefined) return join(directory, found);
    throw new PtdiffError('image', `The kernel ${spec} (${release}) has no module ${name}.`);
  });
}

async function fetchModules(
  directory: string,
  { spec, release, version }: Pick<KernelImage, 'spec' | 'release' | 'version'>,
  names: readonly string[],
  options: FetchOptions,
): Promise<Seal> {
  const { archive, builds } = await kernelCatalogue(options);
  const build = builds.find((each) => each.release === release && each.version === version);
  if (build?.modules === undefined) {
    throw new PtdiffError(
      'image',
      `Debian's archive has no modules of ${spec}; choose a scenario without devices.`,
    );
  }
  const wanted = build.modules;
  return withScratch(async (scratch) => {
    const deb = await downloadPackage(archive, wanted, scratch, options);
    const tree = join(scratch, 'tree');
    await mkdir(tree);
    await unpackPackage(
      deb,
      tree,
      names.map((name) => `*/${name}.ko*`),
    );
    const found = (await readdir(tree, { recursive: true })).filter((file) => ending.test(file));
    return publishFolder(directory, async (arriving) => {
      for (const file of found) await rename(join(tree, file), join(arriving, basename(file)));
    });
  });
}
