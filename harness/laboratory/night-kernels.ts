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

/** A watch's kernel tonight: the spec that means exactly this kernel. */
export interface TonightsKernel {
  watch: string;
  spec: string;
  commit?: NewKernel['commit'];
}

/** The kernels of all watches tonight. */
interface TonightsKernels {
  kernels: TonightsKernel[];
  /** Watches without a kernel, with the reason: the night continues without them. */
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
 * Pins a branch to its current commit, and a version to its full form: a branch must not move
 * during a night, and its kernel must be found again.
 */
async function pinned(watch: string, signal: AbortSignal): Promise<TonightsKernel> {
  const spec = parseKernelSpec(watch);
  if (spec.kind === 'debian')
    return { watch, spec: await exactSpec(spec, { progress: say, signal }) };
  if (spec.kind !== 'git') return { watch, spec: watch };
  // Gives a better message than git if the path is wrong.
  await objectDirectory(spec.path, signal);
  const id = await commitId(spec.path, spec.rev, signal);
  const subject = (
    await askRepository(spec.path, ['log', '-1', '--format=%s', id, '--'], signal)
  ).trimEnd();
  return { watch, spec: formatKernelSpec({ ...spec, rev: id }), commit: { id, subject } };
}

const asksDebian = (each: SingleWatch): boolean =>
  !('spec' in each) || each.spec.startsWith('debian:');

/** Fetches the archive's lists of tonight; returns why that failed, if it did. */
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

/** Tonight's kernels. */
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
