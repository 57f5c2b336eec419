// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../host/say.ts';
import { releasesToFetch } from '../../images/kernels.ts';
import { PtdiffError } from '../../src/errors.ts';
import type { RunRecord } from '../../src/report/types.ts';
import { type LoadedKernel, loadKernel } from './loaded-kernel.ts';

/** Kernels that were loaded, and those that could not be, each with its reason. */
export interface LoadedKernels {
  kernels: LoadedKernel[];
  unavailable: RunRecord['unavailable'];
}

/**
 * Kernels that could be loaded, and those that could not: the run continues without them.
 * @param had kernels that were loaded before, by their specs
 */
export async function loadKernels(
  specs: readonly string[],
  signal: AbortSignal,
  had: ReadonlyMap<string, LoadedKernel> = new Map(),
): Promise<LoadedKernels> {
  const kernels: LoadedKernel[] = [];
  const unavailable: RunRecord['unavailable'] = [];
  for (const spec of specs) {
    try {
      const kernel = had.get(spec) ?? (await loadKernel(spec, { progress: say, signal }));
      if (!had.has(spec)) for (const note of kernel.image.notes) say(`${spec}: ${note}`);
      kernels.push(kernel);
    } catch (error) {
      if (!(error instanceof PtdiffError) || error.fault === 'usage' || error.fault === 'harness')
        throw error;
      unavailable.push({ spec, reason: error.message });
      say(`${spec}: ${error.message}`);
    }
  }
  return { kernels, unavailable };
}

/** Kernels that are there, and what is known of those that are still to be fetched. */
export interface KernelStage extends LoadedKernels {
  /** Releases that each may turn out to be, by its spec. */
  awaited: ReadonlyMap<string, readonly string[]>;
}

/** What must be fetched of some kernels. An archive that cannot be had is not asked again. */
async function awaitedOf(
  specs: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, readonly string[]>> {
  const awaited = new Map<string, readonly string[]>();
  for (const spec of specs) {
    try {
      const releases = await releasesToFetch(spec, { progress: say, signal });
      if (releases) awaited.set(spec, releases);
    } catch (error) {
      // Whoever loads the kernel says what is wrong.
      if (!(error instanceof PtdiffError)) throw error;
      if (error.fault === 'host') return awaited;
    }
  }
  return awaited;
}

/**
 * Loads kernels as they can be had: first all that need no download, then one after the other those
 * that do. Each stage has all kernels up to there, in the order of the specs; the last one has all.
 * @param early is fetched before others
 * @throws PtdiffError as loadKernels() does; the signal's reason
 */
export async function* loadInStages(
  specs: readonly string[],
  signal: AbortSignal,
  { had = new Map(), early }: { had?: ReadonlyMap<string, LoadedKernel>; early?: string },
): AsyncGenerator<KernelStage, void> {
  const awaited = await awaitedOf(
    specs.filter((spec) => !had.has(spec)),
    signal,
  );
  const rest = [...awaited.keys()].sort((a, b) => Number(b === early) - Number(a === early));
  const there = specs.filter((spec) => !awaited.has(spec));
  let { kernels, unavailable } = await loadKernels(there, signal, had);
  signal.throwIfAborted();
  if (kernels.length > 0 || rest.length === 0)
    yield { kernels, unavailable, awaited: new Map(awaited) };
  const place = (spec: string) => specs.indexOf(spec);
  for (const spec of rest) {
    const next = await loadKernels([spec], signal);
    signal.throwIfAborted();
    awaited.delete(spec);
    kernels = [...kernels, ...next.kernels].sort(
      (a, b) => place(a.image.spec) - place(b.image.spec),
    );
    unavailable = [...unavailable, ...next.unavailable].sort(
      (a, b) => place(a.spec) - place(b.spec),
    );
    if (kernels.length > 0 || awaited.size === 0)
      yield { kernels, unavailable, awaited: new Map(awaited) };
  }
}
