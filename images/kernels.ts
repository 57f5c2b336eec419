// SPDX-License-Identifier: GPL-2.0-only
import { resolve } from 'node:path';
import { sha256 } from '../host/cache.ts';
import { explainDiskFull } from '../host/disk-space.ts';
import { mostBytes, readRegular, requireRegular, whyUnreadable } from '../host/read-file.ts';
import { PtdiffError } from '../src/errors.ts';
import { first } from '../src/present.ts';
import type { FetchOptions } from './debian/apt.ts';
import { PackageGone } from './debian/download.ts';
import { cachedKernel, fetchKernel } from './debian/kernel.ts';
import { type KernelBuild, pickBuilds } from './debian/kernel-builds.ts';
import { type KernelCatalogue, kernelCatalogue } from './debian/kernel-catalogue.ts';
import { upstreamVersion } from './debian/version.ts';
import { checkImage } from './image-check.ts';
import { keepImage } from './keep-image.ts';
import type { KernelImage } from './kernel-image.ts';
import {
  type DebianSpec,
  formatKernelSpec,
  isSourceSpec,
  type KernelSpec,
  parseKernelSpec,
} from './kernel-spec.ts';
import { sourceKernel } from './source/source-kernel.ts';

/** A line of `ptdiff ls kernels`. */
interface ListedKernel {
  /** The spec that means exactly this kernel version and flavour. */
  spec: string;
  release: string;
  version: string;
  flavour: string;
  suite: string;
  /** Size of the download. */
  bytes: number;
  /** Whether it boots without network. */
  cached: boolean;
}

/** Every kernel that Debian's archive lists for arm64, newest first. */
export async function listKernels(options: FetchOptions = {}): Promise<ListedKernel[]> {
  const { builds } = await kernelCatalogue(options);
  return Promise.all(
    builds.map(async (build) => ({
      spec: formatKernelSpec({ kind: 'debian', version: build.upstream, flavour: build.flavour }),
      release: build.release,
      version: build.version,
      flavour: build.flavour,
      suite: build.suite,
      bytes: build.image.bytes + (build.config?.bytes ?? 0),
      cached: (await cachedKernel(build)) !== undefined,
    })),
  );
}

/**
 * The specs of Debian's kernels with a release as `uname -r` prints it, the newest first; none where
 * the archive has no such kernel.
 * @throws PtdiffError(host) where the archive cannot be asked
 */
export async function specsOfRelease(
  release: string,
  options: FetchOptions = {},
): Promise<string[]> {
  const { builds } = await kernelCatalogue(options);
  const specs = builds
    .filter((build) => build.release === release)
    .map(({ upstream, flavour }) =>
      formatKernelSpec({ kind: 'debian', version: upstream, flavour }),
    );
  return [...new Set(specs)];
}

/**
 * Provides the kernel that a spec names (see parseKernelSpec), building it if necessary, and checks
 * that it is a complete arm64 Image.
 * @throws `usage` for an invalid spec; `image` for a kernel that does not exist, is gone, is not an
 * Image or does not build; `host`; the signal's reason
 */
export async function resolveKernel(
  text: string,
  options: FetchOptions = {},
): Promise<KernelImage> {
  const spec = parseKernelSpec(text);
  try {
    if (isSourceSpec(spec)) return await sourceKernel(text, spec, options);
    return await (spec.kind === 'file'
      ? localKernel(text, spec)
      : debianKernel(text, spec, options));
  } catch (error) {
    throw await explainDiskFull(error, `the kernel ${text}`);
  }
}

/**
 * The releases that a kernel may turn out to be which must be fetched from Debian's archive, the
 * most likely first; undefined for every other kernel.
 * @throws `usage` for an invalid spec; `image` for one that the archive does not have; `host`
 */
export async function releasesToFetch(
  text: string,
  options: FetchOptions = {},
): Promise<string[] | undefined> {
  const spec = parseKernelSpec(text);
  if (isSourceSpec(spec) || spec.kind !== 'debian') return undefined;
  const { candidates } = await findBuilds(text, spec, options);
  if (await cachedKernel(first(candidates))) return undefined;
  return candidates.map(({ release }) => release);
}

/** The spec of a Debian kernel with its full version, e.g. debian:7.3.4 for debian:7.3 today. */
export async function exactSpec(spec: DebianSpec, options: FetchOptions = {}): Promise<string> {
  const { version } = await resolveKernel(formatKernelSpec(spec), options);
  return formatKernelSpec({ ...spec, version: upstreamVersion(version) });
}

async function debianKernel(
  text: string,
  spec: DebianSpec,
  options: FetchOptions,
): Promise<KernelImage> {
  const { catalogue, candidates } = await findBuilds(text, spec, options);
  const notes = [...catalogue.notes];
  let gone: PackageGone | undefined;
  for (const build of candidates) {
    try {
      const kernel = await fetchKernel(catalogue.archive, build, options);
      const source = `${build.image.name} ${build.version} (${build.suite})`;
      const { version, flavour } = build;
      const modules = build.modules && ({ hasModules: true } as const);
      return {
        ...kernel,
        spec: text,
        version,
        flavour,
        source,
        ...modules,
        notes: [...notes, ...kernel.notes],
      };
    } catch (error) {
      if (!(error instanceof PackageGone)) {
        throw error;
      }
      gone = error;
      notes.push(`${error.message} Another build of the same version is used instead.`);
    }
  }
  throw new PtdiffError(
    'image',
    `${text}: ${gone?.message} Choose another version from 'ptdiff ls kernels'.`,
    {
      cause: gone,
    },
  );
}

/** A version that is not in the lists may be newer than the lists. */
async function findBuilds(text: string, spec: DebianSpec, options: FetchOptions) {
  let catalogue: KernelCatalogue = await kernelCatalogue(options);
  let candidates: KernelBuild[] = pickBuilds(catalogue.builds, spec);
  if (candidates.length === 0 && Date.now() - catalogue.updated > 10 * 60_000) {
    catalogue = await kernelCatalogue({ ...options, refresh: true });
    candidates = pickBuilds(catalogue.builds, spec);
  }
  if (candidates.length === 0) {
    const versions = [
      ...new Set(catalogue.builds.map(({ upstream }) => /^\d+\.\d+/.exec(upstream)?.[0])),
    ].join(', ');
    throw new PtdiffError(
      'image',
      `Debian's archive has no arm64 kernel '${text}'; it has versions of ${versions} (see 'ptdiff ls kernels').`,
    );
  }
  return { catalogue, candidates };
}

async function localKernel(
  text: string,
  spec: KernelSpec & { kind: 'file' },
): Promise<KernelImage> {
  const path = resolve(spec.path);
  const file = await readRegular(path, mostBytes.image).catch((error) => {
    throw new PtdiffError('image', `Cannot read the kernel ${path}: ${whyUnreadable(error)}.`, {
      cause: error,
    });
  });
  const { bytes, release, unpacked } = checkImage(file, path);
  const digest = sha256(bytes);
  const configPath = spec.config === undefined ? undefined : resolve(spec.config);
  if (configPath !== undefined) {
    await requireRegular(configPath).catch((error) => {
      throw new PtdiffError(
        'image',
        `Cannot read the config ${configPath}: ${whyUnreadable(error)}.`,
        {
          cause: error,
        },
      );
    });
  }
  return {
    spec: text,
    release,
    version: release,
    flavour: 'local',
    imagePath: unpacked ? (await keepImage(bytes)).imagePath : path,
    ...(configPath === undefined ? {} : { configPath }),
    sha256: digest,
    source: path,
    notes: [],
  };
}
