// SPDX-License-Identifier: GPL-2.0-only
import { timed, timedNow } from '../../host/timed.ts';
import type { CaseResult } from '../../src/diff/types.ts';
import { PtdiffError } from '../../src/errors.ts';
import { bootCase, type Case } from './boot-case.ts';
import { writeBoot, writeConclusions } from './case-files.ts';
import { keepFacts } from './facts-cache.ts';
import { judgeCase } from './judge-case.ts';
import type { Laboratory } from './laboratory.ts';
import type { LoadedKernel } from './loaded-kernel.ts';

/** The kernel of a case as identified in cases.jsonl. */
export function kernelOf({ image, traits }: LoadedKernel): CaseResult['kernel'] {
  const { spec, release, flavour, sha256 } = image;
  return { spec, release, flavour, sha256, generation: traits.generation };
}

/**
 * Boots a case, predicts it, compares, and writes everything into the folder of the case.
 * @throws PtdiffError for what is not the kernel's fault
 */
export async function runCase(
  laboratory: Laboratory,
  each: Case,
  signal: AbortSignal,
): Promise<CaseResult> {
  const started = performance.now();
  const { kernel, scenario } = each;
  const depth = each.depth ?? 'full';
  const booted = await bootCase(laboratory, each, signal);
  timedNow('writing', () => writeBoot(each, booted));
  const { recordingFault } = booted.evidence;
  if (recordingFault !== undefined) throw new PtdiffError('harness', recordingFault);
  const judged = timedNow('judging', () =>
    judgeCase(kernel, scenario, booted.evidence, laboratory.knownIssues, depth),
  );
  timedNow('writing', () => writeConclusions(each, judged));
  if (booted.evidence.end.kind === 'completed') {
    const [kernelSha256, emulatorSha256] = [kernel.image.sha256, laboratory.emulator.sha256];
    const key = { kernelSha256, emulatorSha256, scenario };
    await timed('writing', () => keepFacts(key, judged.facts));
  }
  const { notPredicted: _, differences: __, ...judgement } = judged.judgement;
  return {
    case: each.name,
    kernel: kernelOf(kernel),
    scenario: scenario.name,
    depth,
    ...judgement,
    seconds: Math.round((performance.now() - started) / 10) / 100,
    ...(judged.notes.length > 0 && { notes: judged.notes }),
  };
}
