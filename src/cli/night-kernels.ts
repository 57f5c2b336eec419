import { formatKernelSpec, parseKernelSpec } from '../../images/kernel-spec.ts';
import { listKernels } from '../../images/kernels.ts';
import { commitId } from '../../images/source/commit.ts';
import { PtdiffError } from '../errors.ts';
import type { Watch } from '../nightly/config.ts';
import type { RunRecord } from '../report/types.ts';
import { say } from './output.ts';

/** What a watch has tonight: the spec that means exactly this kernel. */
export interface TonightsKernel {
  watch: string;
  spec: string;
}

/** The newest kernels of a suite, one for each flavour; a flavour that it does not have is told of. */
async function suiteKernels(suite: string, flavours: readonly string[]): Promise<TonightsKernel[]> {
  const kernels = await listKernels({ progress: say });
  return flavours.map((flavour) => {
    const newest = kernels.find((kernel) => kernel.suite === suite && kernel.flavour === flavour);
    if (newest) return { watch: `${suite} ${flavour}`, spec: newest.spec };
    throw new PtdiffError('image', `Debian's suite '${suite}' has no arm64 kernel of flavour ${flavour}.`);
  });
}

/** A branch is pinned to its commit of this moment: a night must not see it move. */
async function pinned(text: string, signal: AbortSignal): Promise<string> {
  const spec = parseKernelSpec(text);
  if (spec.kind !== 'git') return text;
  return formatKernelSpec({ ...spec, rev: await commitId(spec.path, spec.rev, signal) });
}

/** Kernels of tonight, and watches that have none, with the reason: the night goes on without them. */
export async function tonightsKernels(
  watches: readonly Watch[],
  signal: AbortSignal,
): Promise<{ kernels: TonightsKernel[]; unavailable: RunRecord['unavailable'] }> {
  for (const watch of watches) if (typeof watch === 'string') parseKernelSpec(watch);
  // What the archive has since the last night.
  const asksDebian = watches.some((watch) => typeof watch !== 'string' || watch.startsWith('debian:'));
  if (asksDebian) await listKernels({ progress: say, refresh: true });
  const kernels: TonightsKernel[] = [];
  const unavailable: RunRecord['unavailable'] = [];
  for (const watch of watches) {
    try {
      if (typeof watch === 'string') kernels.push({ watch, spec: await pinned(watch, signal) });
      else kernels.push(...(await suiteKernels(watch.suite, watch.flavours)));
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof PtdiffError) || error.fault !== 'image') throw error;
      unavailable.push({ spec: typeof watch === 'string' ? watch : watch.suite, reason: error.message });
    }
  }
  return { kernels, unavailable };
}
