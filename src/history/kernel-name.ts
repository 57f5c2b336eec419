// SPDX-License-Identifier: GPL-2.0-only
import type { Look } from './types.ts';

const shownPatches = 2;

/**
 * What distinguishes a kernel from others of its release: nothing besides the release for a
 * packaged one; the commit for one from git; the patches for any that was built; the start of the
 * hash for the user's own Image.
 */
export function kernelName({
  release,
  spec,
  sha256,
}: Pick<Look['kernel'], 'release' | 'spec' | 'sha256'>): string {
  const commit = /^git:.*@([0-9a-f]{12})[0-9a-f]{28}(?=,|$)/.exec(spec)?.[1];
  const patches = [...spec.matchAll(/,patch=(.*?)(?=,(?:patch|config|compiler)=|$)/g)].map(
    ([, path = '']) => path.slice(path.lastIndexOf('/') + 1),
  );
  const own = spec.startsWith('file:') ? [sha256.slice(0, 8)] : [];
  const more = patches.length > shownPatches ? [`+${patches.length - shownPatches} patches`] : [];
  const named = patches.slice(0, shownPatches).map((name) => `+${name}`);
  return [
    release || spec,
    ...(commit === undefined ? own : [`g${commit}`]),
    ...named,
    ...more,
  ].join(' ');
}
