// SPDX-License-Identifier: GPL-2.0-only
import { type DebianSpec, type Flavour, flavours } from '../kernel-spec.ts';
import type { IndexedPackage } from './package-index.ts';
import { compareVersions, upstreamVersion } from './version.ts';

/** One kernel that Debian built for arm64, with the packages that hold its files. */
export interface KernelBuild {
  /** Its `uname -r`, e.g. `7.3.4+deb13-arm64`. */
  release: string;
  /** Version of the Debian package, e.g. `7.3.4-1~bpo13+1`. */
  version: string;
  /** Version of the kernel, e.g. `7.3.4` or `7.3~rc7`. */
  upstream: string;
  flavour: Flavour;
  suite: string;
  /** Holds the Image: `linux-image-*` to 6.18, `linux-binary-*` from 6.19. */
  image: IndexedPackage;
  /**
   * Contains the config where the image package does not: `linux-base-*`; from 6.19, and only as
   * long as the archive keeps it.
   */
  config?: IndexedPackage;
  /** Contains the modules: `linux-modules-*` from 6.19, before that the package of the Image. */
  modules?: IndexedPackage;
}

/** Names of the packages that may hold a kernel's Image, config or modules. */
export const kernelPackageName =
  /^linux-(image|binary|base|modules)-(\d+\.\d+.*?)-(cloud-arm64|rt-arm64|arm64-16k|arm64)(-unsigned)?$/;

/**
 * Packages as sources of an Image, the best first; the signed and the unsigned one contain the same
 * code.
 */
const sourceOrder = ['binary', 'binary-unsigned', 'image', 'image-unsigned'];

/**
 * Groups the archive's packages into kernels, newest first, with release candidates after the
 * releases.
 */
export function kernelBuilds(packages: IndexedPackage[]): KernelBuild[] {
  const groups = new Map<string, Map<string, IndexedPackage>>();
  for (const one of packages) {
    const [, kind, abi, flavour, unsigned = ''] = kernelPackageName.exec(one.name) ?? [];
    if (kind !== undefined) {
      const key = `${abi}-${flavour} ${one.version}`;
      const group = groups.get(key) ?? new Map<string, IndexedPackage>();
      groups.set(key, group);
      // Several suites may list the same build; the first one counts.
      if (!group.has(kind + unsigned)) {
        group.set(kind + unsigned, one);
      }
    }
  }
  const builds: KernelBuild[] = [];
  for (const [key, group] of groups) {
    const image = sourceOrder.map((kind) => group.get(kind)).find((one) => one !== undefined);
    // Besides linux-binary, linux-image is an empty package; without linux-binary, since 6.19, no
    // package contains the Image.
    if (image !== undefined && (image.name.startsWith('linux-binary') || !hasEmptyImage(image))) {
      const [name = ''] = key.split(' ');
      builds.push(toBuild(name, image, group));
    }
  }
  return builds.sort(newestFirst);
}

function hasEmptyImage(image: IndexedPackage): boolean {
  return image.bytes < 2 ** 20;
}

function toBuild(
  release: string,
  image: IndexedPackage,
  group: Map<string, IndexedPackage>,
): KernelBuild {
  const config = group.get('base');
  const modules = image.name.startsWith('linux-binary') ? group.get('modules') : image;
  const debianFlavour = kernelPackageName.exec(image.name)?.[3];
  const flavour =
    (Object.keys(flavours) as Flavour[]).find((name) => flavours[name] === debianFlavour) ??
    'arm64';
  const upstream = upstreamVersion(image.version);
  return {
    release,
    version: image.version,
    upstream,
    flavour,
    suite: image.suite,
    image,
    config,
    ...(modules && { modules }),
  };
}

function newestFirst(a: KernelBuild, b: KernelBuild): number {
  const candidate = Number(a.upstream.includes('~')) - Number(b.upstream.includes('~'));
  return candidate || compareVersions(b.version, a.version) || a.release.localeCompare(b.release);
}

/**
 * The builds that a spec may mean, the best first: all builds of the newest kernel version that it
 * matches. If the archive has lost the first one, the later ones replace it.
 * @param builds from kernelBuilds(), newest first
 */
export function pickBuilds(builds: KernelBuild[], spec: DebianSpec): KernelBuild[] {
  const matching = builds.filter(
    (build) => build.flavour === spec.flavour && matchesVersion(build, spec.version),
  );
  return matching.filter(({ upstream }) => upstream === matching[0]?.upstream);
}

function matchesVersion({ upstream, version }: KernelBuild, asked: string): boolean {
  if (asked === 'latest') {
    return true;
  }
  return (
    upstream === asked ||
    version === asked ||
    upstream.startsWith(`${asked}.`) ||
    upstream.startsWith(`${asked}~`)
  );
}
