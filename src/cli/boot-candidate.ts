import { resolveKernel } from '../../images/kernels.ts';
import { observe } from '../bisect/observe.ts';
import type { Outcome, Sign } from '../bisect/types.ts';
import { PtdiffError } from '../errors.ts';
import type { RunRecord } from '../report/types.ts';
import { say } from './output.ts';
import { runMatrix } from './run-matrix.ts';

/** One boot of a kernel and what it says of a sign. */
export interface CandidateBoot {
  outcome: Outcome;
  reason?: string;
  /** What the folder of the boot says of its run; absent where there was no kernel to boot. */
  record?: RunRecord;
  /** Name of the case in the run folder. */
  case?: string;
}

/** The kernel of a candidate: one that is gone from the archive, or does not build, is skipped. */
async function availability(spec: string, signal: AbortSignal): Promise<{ reason: string } | undefined> {
  try {
    await resolveKernel(spec, { progress: say, signal });
    return undefined;
  } catch (error) {
    if (error instanceof PtdiffError && error.fault === 'image') return { reason: error.message };
    throw error;
  }
}

/**
 * Boots one scenario on one kernel into a run folder of its own, or goes on with one that is there.
 * @throws PtdiffError for what is neither the kernel's fault nor the kernel's absence (no network, a full disk, wrong usage), and what the
 * signal was aborted with
 */
export async function bootCandidate(
  request: { spec: string; scenario: string; sign: Sign; out: string; qemu?: string },
  signal: AbortSignal,
): Promise<CandidateBoot> {
  const { spec, scenario, sign, out, qemu } = request;
  const missing = await availability(spec, signal);
  signal.throwIfAborted();
  if (missing) return { outcome: 'unavailable', reason: missing.reason };
  const matrix = { kernels: [spec], scenarios: [scenario], jobs: 1, out, ...(qemu !== undefined && { qemu }) };
  const { record, cases } = await runMatrix(matrix, signal);
  signal.throwIfAborted();
  if (cases.length !== 1) {
    const why = 'The scenario cannot be booted on this kernel.';
    if (cases.length === 0) return { outcome: 'unusable', reason: why, record };
    throw new PtdiffError('usage', `A bisection is about one scenario, and ${scenario} names ${cases.length}.`);
  }
  return { ...observe(cases[0], sign), record, case: cases[0].case };
}
