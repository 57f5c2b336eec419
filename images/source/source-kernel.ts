// SPDX-License-Identifier: GPL-2.0-only
import { cachePath } from '../../host/cache.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { FetchOptions } from '../debian/apt.ts';
import type { KernelImage } from '../kernel-image.ts';
import { formatOrigin, type SourceParts, type SourceSpec } from '../kernel-spec.ts';
import { applyPatches } from './apply-patches.ts';
import { buildKernel, type KernelRecipe } from './build-kernel.ts';
import { buildTools } from './build-tools.ts';
import { type WantedConfig, wantedConfig } from './config-fragments.ts';
import { type GitStore, openGitStore } from './git-store.ts';
import { sourceTree } from './source-tree.ts';
import type { SourceTree } from './tree.ts';

/**
 * Builds the kernel that a spec describes, or takes it from the cache.
 * @param text the spec as the user wrote it
 * @throws `usage` for a part that does not exist; `image` for an unsuitable source, patch or
 * configuration, and for a kernel that does not build; `host`
 */
export async function sourceKernel(
  text: string,
  spec: SourceSpec,
  options: FetchOptions,
): Promise<KernelImage> {
  const { store, recipe, bare } = await sourceRecipe(spec, options);
  const { source, tools } = recipe;
  const { sha256, release, imagePath, configPath } = await buildKernel(store, recipe, options);
  return {
    spec: text,
    release,
    version: source.version ?? release,
    flavour: flavourOf(spec),
    imagePath,
    configPath,
    sha256,
    source: `${source.name}, ${tools.version}`,
    ...(bare.commit !== undefined && { commit: bare.commit }),
    ...(source.tag !== undefined && { tag: source.tag }),
    notes: [],
  };
}

/**
 * Everything that decides the bytes of the kernel that a spec describes; nothing is built.
 * @throws as sourceKernel(), builds apart
 */
export async function sourceRecipe(
  spec: SourceSpec,
  options: FetchOptions,
): Promise<{ store: GitStore; recipe: KernelRecipe; bare: SourceTree }> {
  // Cheap checks come first.
  requirePlainPath(cachePath('source'));
  const config = named(await wantedConfig(spec.configs), spec);
  const store = await openGitStore();
  const bare = await sourceTree(store, spec, options);
  const source = await applyPatches(store, bare, spec.patches);
  const tools = await buildTools(spec.compiler, config.options, options);
  return { store, recipe: { source, config, tools, what: formatOrigin(spec) }, bare };
}

/**
 * The kernel's top Makefile fails with "source directory cannot contain spaces or colons" if its
 * real path contains one; a symbolic link does not help.
 * @throws `host` for such a path
 */
export function requirePlainPath(path: string): void {
  const found = /[\s:]/.exec(path)?.[0];
  if (found === undefined) return;
  const what = found === ':' ? 'colons' : 'blanks';
  throw new PtdiffError(
    'host',
    `No kernel can be built below ${path}, since Linux refuses to be built in a path that has ${what}: set PTDIFF_CACHE to a path without them.`,
  );
}

/**
 * What distinguishes a kernel from ptdiff's usual one of the same source, such as `-64k` or
 * `-llvm`; '' for the usual one.
 */
function suffix({ configs, compiler }: SourceParts): string {
  const names = configs.map((config) => config.replace(/^.*\//, '').replace(/\.[^.]*$/, ''));
  return [...names, ...(compiler === 'gcc' ? [] : [compiler])]
    .map((name) => `-${name.replaceAll(/[^A-Za-z0-9._]+/g, '_')}`)
    .join('')
    .slice(0, 40);
}

function flavourOf(parts: SourceParts): string {
  return `source${suffix(parts)}`;
}

/**
 * Configurations have different releases, like a distribution's flavours. Commits do not: equal
 * code stays equal.
 */
function named(config: WantedConfig, parts: SourceParts): WantedConfig {
  const name = 'CONFIG_LOCALVERSION';
  if (config.options.has(name) || suffix(parts) === '') return config;
  const value = suffix(parts);
  const option = { value, line: `${name}="${value}"`, optional: false, from: 'ptdiff' };
  return { ...config, options: new Map([...config.options, [name, option]]) };
}
