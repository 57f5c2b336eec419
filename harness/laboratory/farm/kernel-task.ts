// SPDX-License-Identifier: GPL-2.0-only
import { readFile } from 'node:fs/promises';
import { say } from '../../../host/say.ts';
import { buildKernel, buildKey, type KernelRecipe } from '../../../images/source/build-kernel.ts';
import { buildTools } from '../../../images/source/build-tools.ts';
import { openGitStore } from '../../../images/source/git-store.ts';
import { takeInPack } from '../../../images/source/travel.ts';
import { PtdiffError } from '../../../src/errors.ts';
import { fetchBlob } from './blobs.ts';
import { packBuilt } from './built-kernel.ts';
import { withLog } from './failed-build.ts';
import type { KernelJob } from './protocol.ts';
import type { WorkerLink } from './worker-tasks.ts';

/**
 * Builds a kernel for a farm: the source comes by git packs, unless this host has it, and what is
 * built stays in its cache.
 * @param keep bytes that files fetched from farms may take in the cache
 * @throws FailedBuild for a kernel that does not build, PtdiffError(host) where this host would build
 * another one
 */
export async function buildForFarm(
  job: KernelJob,
  { client }: WorkerLink,
  keep: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const store = await openGitStore();
  const config = { fragments: [], options: new Map(job.options), complete: job.complete };
  const tools = await buildTools(job.compiler, config.options, { progress: say, signal });
  const recipe: KernelRecipe = {
    source: { tree: job.tree, alternates: [], name: job.name },
    ...{ config, tools },
    what: job.what,
  };
  if (buildKey(recipe) !== job.key)
    throw new PtdiffError(
      'host',
      `This host builds ${job.what} by other tools (${tools.version}).`,
    );
  for (const { tree, pack } of job.packs) {
    if (await store.has(tree)) continue;
    await takeInPack(store, await fetchBlob({ client, run: job.run, keep }, pack, signal), signal);
  }
  const built = await buildKernel(store, recipe, { progress: say, signal }).catch((error) => {
    const own = error instanceof PtdiffError && error.fault === 'image';
    throw own ? withLog(error, recipe) : error;
  });
  return packBuilt({
    image: await readFile(built.imagePath),
    config: await readFile(built.configPath),
  });
}
