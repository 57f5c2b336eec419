// SPDX-License-Identifier: GPL-2.0-only
import { say } from '../../host/say.ts';
import { observe } from '../../src/bisect/observe.ts';
import type { Outcome, Sign } from '../../src/bisect/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import { first } from '../../src/present.ts';
import type { RunRecord } from '../../src/report/types.ts';
import type { FarmAddress } from './farm/address.ts';
import { loadKernel } from './loaded-kernel.ts';
import { planCases } from './plan.ts';
import { runStored } from './run-stored.ts';

/** One boot of a kernel and what it says about a sign. */
interface CandidateBoot {
  outcome: Outcome;
  reason?: string;
  /** The run record from the boot's folder; absent where there was no kernel to boot. */
  record?: RunRecord;
  /** Name of the case in the run folder. */
  case?: string;
}

/**
 * Why a candidate cannot be booted, if so: its kernel has left the archive or does not build, or
 * the kernel cannot run this scenario (a realm before 6.13, say).
 */
async function obstacle(
  spec: string,
  scenario: string,
  signal: AbortSignal,
): Promise<CandidateBoot | undefined> {
  try {
    const { image, traits } = await loadKernel(spec, { progress: say, signal });
    const [unfit] = (await planCases([{ spec, label: image.release, traits }], [scenario])).unfit;
    return (
      unfit && { outcome: 'unavailable', reason: `${unfit.scenario} on ${spec}: ${unfit.reason}.` }
    );
  } catch (error) {
    if (error instanceof PtdiffError && error.fault === 'image')
      return { outcome: 'unavailable', reason: error.message };
    throw error;
  }
}

/**
 * Boots one scenario on one kernel into a separate run folder and the results store, or continues
 * an existing folder.
 * @throws PtdiffError for what is neither the kernel's fault nor the kernel's absence (no network,
 * a full disk, wrong usage), and the signal's reason
 */
export async function bootCandidate(
  request: {
    spec: string;
    scenario: string;
    sign: Sign;
    out: string;
    store: string;
    qemu?: string;
    farm?: FarmAddress;
  },
  signal: AbortSignal,
): Promise<CandidateBoot> {
  const { spec, scenario, sign, out, store, qemu, farm } = request;
  if (farm) {
    const { buildOnFarm } = await import('./farm/build-on-farm.ts');
    await buildOnFarm([spec], farm, signal);
  }
  const before = await obstacle(spec, scenario, signal);
  signal.throwIfAborted();
  if (before) return before;
  const matrix = {
    kernels: [spec],
    scenarios: [scenario],
    jobs: 1,
    out,
    ...(qemu !== undefined && { qemu }),
    ...(farm && { farm }),
  };
  const { record, cases } = await runStored(matrix, store, signal);
  signal.throwIfAborted();
  const result = first(cases);
  return { ...observe(result, sign), record, case: result.case };
}
