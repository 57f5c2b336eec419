// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../host/say.ts';
import { kernelCatalogue } from '../../images/debian/kernel-catalogue.ts';
import { formatKernelSpec, parseKernelSpec } from '../../images/kernel-spec.ts';
import { exactSpec, listKernels } from '../../images/kernels.ts';
import { askRepository, commitId, objectDirectory } from '../../images/source/commit.ts';
import { PtdiffError } from '../../src/errors.ts';
import { type SingleWatch, singleWatches, type Watch } from '../../src/nightly/config.ts';
import type { NewKernel } from '../../src/nightly/summary.ts';
import type { RunRecord } from '../../src/report/types.ts';

/** What a watch has tonight: the spec that means exactly this kernel. */
export interface TonightsKernel {
  watch: string;
  spec: string;
  commit?: NewKernel['commit'];
}

/** What the watches have tonight. */
interface TonightsKernels {
  kernels: TonightsKernel[];
  /** Watches that have none, with the reason: the night goes on without them. */
  unavailable: RunRecord['unavailable'];
  /** Why Debian's lists are older than tonight. */
  oldLists?: string;
}

/** The newest kernel of a suite's flavour. */
async function suiteKernel(suite: string, flavour: string): Promise<string> {
  const kernels = await listKernels({ progress: say });
  const newest = kernels.find((kernel) => kernel.suite === suite && kernel.flavour === flavour);
  if (newest) return newest.spec;
  throw new PtdiffError(
    'image',
    `Debian's suite '${suite}' has no arm64 kernel of flavour ${flavour}.`,
  );
}

/**
 * A branch is pinned to its commit of this moment, and a version to the whole of it: a night must
 * not see it move, and its kernel must be found again.
 */
async function pinned(watch: string, signal: AbortSignal): Promise<TonightsKernel> {
  const spec = parseKernelSpec(watch);
  if (spec.kind === 'debian')
    return { watch, spec: await exactSpec(spec, { progress: say, signal }) };
  if (spec.kind !== 'git') return { watch, spec: watch };
  // Says better than git what is wrong with a path.
  await objectDirectory(spec.path, signal);
  const id = await commitId(spec.path, spec.rev, signal);
  const subject = (
    await askRepository(spec.path, ['log', '-1', '--format=%s', id, '--'], signal)
  ).trimEnd();
  return { watch, spec: formatKernelSpec({ ...spec, rev: id }), commit: { id, subject } };
}

const asksDebian = (each: SingleWatch): boolean =>
  !('spec' in each) || each.spec.startsWith('debian:');

/** What the archive has since the last night; why it could not be asked, where it could not. */
async function refreshLists(signal: AbortSignal): Promise<{ old?: string; none?: string }> {
  try {
    const { notes } = await kernelCatalogue({ progress: say, refresh: true, signal });
    return notes.length === 0 ? {} : { old: notes.join(' ') };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof PtdiffError) || error.fault !== 'host') throw error;
    return { none: error.message };
  }
}

/** Kernels of tonight. */
export async function tonightsKernels(
  watches: readonly Watch[],
  signal: AbortSignal,
): Promise<TonightsKernels> {
  for (const watch of watches) if (typeof watch === 'string') parseKernelSpec(watch);
  const singles = singleWatches(watches);
  const { old: oldLists, none } = singles.some(asksDebian) ? await refreshLists(signal) : {};
  const kernels: TonightsKernel[] = [];
  const unavailable: RunRecord['unavailable'] = [];
  for (const each of singles) {
    const { watch } = each;
    if (none !== undefined && asksDebian(each)) {
      unavailable.push({ spec: watch, reason: none });
      continue;
    }
    try {
      kernels.push(
        'spec' in each
          ? await pinned(watch, signal)
          : { watch, spec: await suiteKernel(each.suite, each.flavour) },
      );
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PtdiffError) || error.fault === 'usage' || error.fault === 'harness')
        throw error;
      unavailable.push({ spec: watch, reason: error.message });
    }
  }
  return { kernels, unavailable, ...(oldLists !== undefined && { oldLists }) };
}
